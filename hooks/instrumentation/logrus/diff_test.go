package logrus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/sirupsen/logrus"
	"go.opentelemetry.io/contrib/bridges/otellogrus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// kept is a processor that keeps records.
type kept struct{ records []string }

func (*kept) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*kept) Shutdown(context.Context) error                         { return nil }
func (*kept) ForceFlush(context.Context) error                       { return nil }

func (k *kept) OnEmit(_ context.Context, r *sdklog.Record) error {
	var attrs []string // logrus keeps fields in a map
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		attrs = append(attrs, fmt.Sprint(kv.Key, "=", kv.Value.Type(), ":", kv.Value.String()))
		return true
	})
	sort.Strings(attrs)
	k.records = append(k.records, fmt.Sprint(r.Severity(), " ", r.SeverityText(), " ", r.Body().String(), " ", r.InstrumentationScope().Name, " ", strings.Join(attrs, " ")))
	return nil
}

// sent returns the processor of the global provider, empty: loggers follow the first one only.
func sent() *kept {
	all.records = nil
	provide()
	return &all
}

var (
	all     kept
	provide = sync.OnceFunc(func() { otel.SetLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(&all))) })
)

// formats runs the hooks where logrus formats an entry, which is the first thing that (*Entry).write does.
type formats struct{ logrus.JSONFormatter }

func (f *formats) Format(e *logrus.Entry) ([]byte, error) {
	call := hooktest.New(e)
	BeforeWrite(call, e)
	text, err := f.JSONFormatter.Format(e)
	AfterWrite(call)
	return text, err
}

// What a linked program sends is what it sends with the official bridge among its hooks.
func TestAgainstTheBridge(t *testing.T) {
	ours, theirs := sent(), &kept{}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(theirs))
	l := logrus.New()
	l.SetOutput(io.Discard)
	l.SetFormatter(&formats{})
	l.SetLevel(logrus.DebugLevel)
	l.AddHook(otellogrus.NewHook(scope, otellogrus.WithLoggerProvider(provider)))
	for _, level := range logrus.AllLevels[2:] { // not panic and fatal, which end the test
		l.WithFields(logrus.Fields{"s": "x", "n": 1, "list": []int{1}, "m": map[string]any{"a": nil}, "error": errors.New("sold")}).Log(level, "all ", level)
		l.WithField("error", "no error").Log(level, "one")
		l.Log(level)
	}
	if fmt.Sprint(ours.records) != fmt.Sprint(theirs.records) || len(ours.records) != 12 {
		t.Errorf("%q\n%q", ours.records, theirs.records)
	}
	// Where the program's hook has sent an entry, ours is not sent.
	e := l.WithField("k", "v")
	BeforeFire(nil, nil, e)
	call := hooktest.New(e)
	BeforeWrite(call, e)
	AfterWrite(call)
	if len(ours.records) != 12 {
		t.Error("sent twice")
	}
}
