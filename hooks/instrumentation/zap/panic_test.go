package zap

import (
	"testing"

	"go.opentelemetry.io/otel"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

type failure struct{ text string }

func (f *failure) Error() string { return f.text }

// bad panics whatever it is asked.
type bad struct{}

func (bad) Error() string { panic("Error") }

type badString struct{}

func (badString) String() string { panic("String") }

type badObject struct{}

func (badObject) MarshalLogObject(zapcore.ObjectEncoder) error { panic("object") }

// The program's line is written whatever its values do, and a record is sent.
func TestPanics(t *testing.T) {
	for _, field := range []zap.Field{
		zap.Error((*failure)(nil)), zap.Error(bad{}), zap.NamedError("e", bad{}), zap.Stringer("s", badString{}), zap.Object("o", badObject{}),
		zap.Reflect("r", []any{bad{}}),
	} {
		var ours kept
		otel.SetLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(&ours)))
		core, seen := observer.New(zapcore.InfoLevel)
		l := zap.New(made(core))
		l.Error("failed", field)
		l.With(field).Error("failed")
		l.With(field).With(zap.Int("n", 1)).Error("failed")
		if seen.Len() != 3 || len(ours.records) != 3 {
			t.Errorf("%s: %d lines, %q", field.Key, seen.Len(), ours.records)
		}
	}
}
