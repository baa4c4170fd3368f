package zap

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

type hidden struct {
	Name   string
	Secret string `json:"-"`
}

// tree is an object that has hidden values at all places.
type tree struct{ h hidden }

func (o tree) MarshalLogObject(e zapcore.ObjectEncoder) error {
	_ = e.AddReflected("v", o.h)
	_ = e.AddObject("o", zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error { return e.AddReflected("v", &o.h) }))
	return e.AddArray("a", o)
}

func (o tree) MarshalLogArray(e zapcore.ArrayEncoder) error {
	_ = e.AppendObject(zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error { return e.AddReflected("v", o.h) }))
	_ = e.AppendArray(zapcore.ArrayMarshalerFunc(func(e zapcore.ArrayEncoder) error { return e.AppendReflected(o.h) }))
	return e.AppendReflected(&o.h)
}

// What a struct keeps out of JSON is not exported.
func TestSecrets(t *testing.T) {
	var ours kept
	otel.SetLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(&ours)))
	h := hidden{"n", "secret"}
	fields := []zap.Field{zap.Any("v1", h), zap.Reflect("list", []any{&h}), zap.Object("o1", tree{h}), zap.Inline(tree{h}), zap.Array("a1", tree{h})}
	core := made(taking{zapcore.NewNopCore()})
	zap.New(core).Info("at once", fields...)
	zap.New(core).With(fields...).Info("before")
	for _, r := range ours.records {
		if strings.Contains(r, "secret") || strings.Count(r, "Name") != 15 {
			t.Error(strings.Count(r, "Name"), r)
		}
	}
	if len(ours.records) != 2 {
		t.Error(len(ours.records))
	}
}

// taking is a core that takes all entries.
type taking struct{ zapcore.Core }

func (t taking) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return c.AddCore(e, t)
}

func (t taking) With([]zapcore.Field) zapcore.Core { return t }
func (taking) Enabled(zapcore.Level) bool          { return true }
