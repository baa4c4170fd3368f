//go:build otelobj_program && linux

package sdk

import (
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.opentelemetry.io/otel"
	apitrace "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/otelobj/otelobj/hooks/active"
)

// written returns what f writes to standard error, which lines go to past os.Stderr.
func written(t *testing.T, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old, err := syscall.Dup(syscall.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Dup3(int(w.Fd()), syscall.Stderr, 0); err != nil {
		t.Fatal(err)
	}
	f()
	_ = syscall.Dup3(old, syscall.Stderr, 0)
	_ = syscall.Close(old)
	w.Close()
	text, _ := io.ReadAll(r)
	return string(text)
}

// relayed stands for what the bridge sets: a provider that hands on to the program's.
type relayed struct {
	noop.TracerProvider
	theirs any
}

func (r *relayed) Theirs() any { return r.theirs }

func TestNothingOfOursIsExported(t *testing.T) {
	setFlushers(t, &quick{})
	watching := watchSignals
	defer func() { watchSignals = watching }()
	watchSignals = func() { t.Error("watches for signals, and there is nothing to flush") }
	t.Setenv("OTEL_TRACES_EXPORTER", "console") // the program's business: that it is not linked here is no error
	t.Setenv("OTEL_PROPAGATORS", "b3")
	t.Setenv("OTEL_LOG_LEVEL", "info")
	lines := said(t)
	text := written(t, func() { start(t.Context()) })
	if len(flushers) != 0 || len(*lines) != 0 {
		t.Errorf("set up %v, said %q", flushers, *lines)
	}
	if !strings.Contains(text, "traces and metrics: the providers that the program sets") || strings.Contains(text, "sampler") {
		t.Errorf("said %q", text)
	}
	if fields := otel.GetTextMapPropagator().Fields(); len(fields) == 0 || fields[0] != "b3" && fields[0] != "x-b3-traceid" {
		t.Errorf("propagates %q", fields)
	}
}

// What the program makes with its SDK is flushed, and its spans are ended, as in programs that have ours, too.
func TestTheProgramsProviderIsFlushed(t *testing.T) {
	setFlushers(t)
	watching := watchSignals
	defer func() { watchSignals = watching }()
	watchSignals = func() {}
	q := &quick{}
	keeper{}.Made(func() active.Flusher { return q })
	t.Cleanup(func() { theirs.providers = nil })
	span := &openOne{context: apitrace.NewSpanContext(apitrace.SpanContextConfig{TraceID: apitrace.TraceID{1}, SpanID: apitrace.SpanID{2}})}
	keeper{}.Opened(span)
	Flush(defaultTimeout)
	if q.calls.Load() != 1 || span.ended != 1 {
		t.Errorf("%d exports, ended %d times", q.calls.Load(), span.ended)
	}
	keeper{}.Opened(span)
	openSpans.copy()
	if span.ended != 2 {
		t.Error("there is no other way to export a span of the program's than to end it")
	}
}

// openOne is a span as the bridge makes them of the program's.
type openOne struct {
	noop.Span
	context apitrace.SpanContext
	ended   int
}

func (o *openOne) SpanContext() apitrace.SpanContext { return o.context }
func (o *openOne) Parent() apitrace.SpanContext      { return apitrace.SpanContext{} }
func (o *openOne) IsRecording() bool                 { return true }
func (o *openOne) End(...apitrace.SpanEndOption)     { o.ended++ }

func TestALineForAProgramThatSetsNothing(t *testing.T) {
	t.Setenv("OTEL_LOG_LEVEL", "info")
	old := otel.GetTracerProvider()
	t.Cleanup(func() { unsetOnce = sync.Once{}; otel.SetTracerProvider(old) })
	otel.SetTracerProvider(&relayed{theirs: "a provider"})
	if text := written(t, sayIfUnset); text != "" {
		t.Errorf("said %q although one is set", text)
	}
	otel.SetTracerProvider(&relayed{})
	if text := written(t, func() { sayIfUnset(); sayIfUnset() }); strings.Count(text, "has set no provider") != 1 {
		t.Errorf("said %q", text)
	}
	unsetOnce = sync.Once{}
	t.Setenv("OTEL_LOG_LEVEL", "warn")
	if text := written(t, sayIfUnset); text != "" {
		t.Errorf("said %q, which nobody has asked for", text)
	}
}
