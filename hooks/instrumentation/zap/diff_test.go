package zap

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelzap"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// kept is a processor that keeps records.
type kept struct{ records []string }

func (*kept) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*kept) Shutdown(context.Context) error                         { return nil }
func (*kept) ForceFlush(context.Context) error                       { return nil }

func (k *kept) OnEmit(_ context.Context, r *sdklog.Record) error {
	text := fmt.Sprint(r.Severity(), " ", r.SeverityText(), " ", r.Body().String(), " ", r.InstrumentationScope().Name)
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		text += fmt.Sprint(" ", kv.Key, "=", kv.Value.Type(), ":", kv.Value.String())
		return true
	})
	k.records = append(k.records, text)
	return nil
}

// made is the core that zap.New gets in a linked program.
func made(c zapcore.Core) zapcore.Core {
	if around := Around(c); around != nil {
		return around
	}
	return c
}

func use(l *zap.Logger) {
	l.Info("plain")
	l = l.With(zap.Int("n", 1), zap.Namespace("ns"))
	l.Warn("fields", zap.String("s", "x"), zap.Duration("d", time.Second), zap.Strings("list", []string{"a", "b"}), zap.Any("m", map[string]any{"a": 1}))
	l.Error("failed", zap.Error(errors.New("sold")), zap.NamedError("other", errors.New("late")))
	l.Named("checkout").Sugar().Infow("sugared", "k", []byte{1}, "t", time.Unix(1, 2))
	l.DPanic("dpanic", zap.Object("o", inner{}), zap.Objects("os", []inner{{}}))
}

type inner struct{}

func (inner) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddString("in", "side")
	return nil
}

// What a linked program sends is what it sends with the official bridge as its core.
func TestAgainstTheBridge(t *testing.T) {
	var ours, theirs kept
	otel.SetLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(&ours)))
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(&theirs))
	core, seen := observer.New(zapcore.InfoLevel)
	use(zap.New(made(core)))
	use(zap.New(otelzap.NewCore(scope, otelzap.WithLoggerProvider(provider))))
	if fmt.Sprint(ours.records) != fmt.Sprint(theirs.records) || len(ours.records) != 5 || seen.Len() != 5 {
		t.Errorf("%q\n%q", ours.records, theirs.records)
	}
}

// What the program's core does not take is not sent, and nothing is sent twice.
func TestWhatIsTaken(t *testing.T) {
	var ours kept
	otel.SetLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(&ours)))
	core, _ := observer.New(zapcore.ErrorLevel)
	l := zap.New(made(core))
	l.Info("no")
	l.Check(zapcore.PanicLevel, "taken")
	if zapcore.LevelOf(l.Core()) != zapcore.ErrorLevel || l.Core().Enabled(zapcore.InfoLevel) {
		t.Error("level")
	}
	if made(made(core)) == nil || len(ours.records) != 0 {
		t.Errorf("%q", ours.records)
	}
	zap.New(made(zapcore.NewTee(l.Core(), core, l.Core()))).Error("once")
	if n := len(ours.records); n != 2 { // the program has two loggers in its tee
		t.Errorf("%d: %q", n, ours.records)
	}
	bridge := otelzap.NewCore("program", otelzap.WithLoggerProvider(sdklog.NewLoggerProvider()))
	if !isBridge(bridge) || isBridge(core) {
		t.Error("the bridge is not known")
	}
	checked := l.Core().Check(zapcore.Entry{Level: zapcore.ErrorLevel, Message: "theirs"}, nil).AddCore(zapcore.Entry{}, bridge)
	before := len(ours.records)
	call := hooktest.New(checked, nil)
	BeforeWrite(call, checked, nil)
	checked.Write()
	AfterWrite(call)
	if len(ours.records) != before {
		t.Error("sent beside the program's bridge")
	}
}
