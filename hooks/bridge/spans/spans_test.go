package spans_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	privatesdk "otelobj.private/go.opentelemetry.io/otel/sdk/trace"
	"otelobj.private/go.opentelemetry.io/otel/sdk/trace/tracetest"
	private "otelobj.private/go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/bridge/spans"
)

// What contexts may lose: the keys of one copy of the API, which are known by the package of their type.

func keysOf(copy string) func(any) bool {
	return func(key any) bool {
		t := reflect.TypeOf(key)
		return t != nil && strings.HasPrefix(t.PkgPath(), copy)
	}
}

var (
	programKeys = keysOf("go.opentelemetry.io/otel")
	privateKeys = keysOf("otelobj.private/go.opentelemetry.io/otel")
)

// forward returns a tracer of the program's API over the private SDK, and what that has recorded.
func forward(t testing.TB, opts ...privatesdk.TracerProviderOption) (trace.Tracer, *tracetest.SpanRecorder) {
	if !spans.Connect() {
		t.Fatal("the API has other layouts")
	}
	recorder := tracetest.NewSpanRecorder()
	var p spans.Providers
	p.SetOurs(privatesdk.NewTracerProvider(append(opts, privatesdk.WithSpanProcessor(recorder))...))
	return p.Forward().Tracer("t", trace.WithInstrumentationVersion("v1"), trace.WithSchemaURL("url")), recorder
}

// reverse returns a tracer of the private API over the program's SDK, and what that has recorded.
func reverse(t testing.TB) (private.Tracer, *recorder) {
	if !spans.Connect() {
		t.Fatal("the API has other layouts")
	}
	got := &recorder{spans: map[string]exported{}}
	var p spans.Providers
	p.SetTheirs(sdk.NewTracerProvider(sdk.WithSpanProcessor(programProcessor{got})))
	return p.Reverse().Tracer("t"), got
}

// A deferred End sees the panic that is on its way, and does not stop it.
func TestEndRecordsAPanic(t *testing.T) {
	boom := errors.New("boom")
	panics := func(f func()) {
		defer func() {
			if r := recover(); r != boom {
				t.Errorf("the panic became %v", r)
			}
		}()
		f()
	}
	tracer, recorded := forward(t)
	panics(func() {
		_, span := tracer.Start(context.Background(), "s")
		defer span.End()
		panic(boom)
	})
	events := recorded.Ended()[0].Events()
	if len(events) != 1 || events[0].Name != "exception" || fmt.Sprint(events[0].Attributes) != fmt.Sprint(wantedException(boom)) {
		t.Errorf("forward: events %v", events)
	}
	ours, got := reverse(t)
	panics(func() {
		_, span := ours.Start(context.Background(), "s")
		defer span.End(private.WithStackTrace(true))
		panic(boom)
	})
	for _, s := range got.spans {
		if !slices.Equal(s.events, []string{"exception"}) {
			t.Errorf("reverse: events %v", s.events)
		}
	}
	panics(func() { // nobody records it
		_, span := tracer.Start(context.Background(), "s")
		span.End()
		defer span.End()
		panic(boom)
	})
}

// wantedException is what the private SDK records without a bridge.
func wantedException(err error) any {
	recorder := tracetest.NewSpanRecorder()
	func() {
		defer func() { _ = recover() }()
		_, span := privatesdk.NewTracerProvider(privatesdk.WithSpanProcessor(recorder)).Tracer("t").Start(context.Background(), "s")
		defer span.End()
		panic(err)
	}()
	return recorder.Ended()[0].Events()[0].Attributes
}

// Spans can be compared, those that are not recorded, too: the API's own panic then.
func TestSpansCanBeCompared(t *testing.T) {
	tracer, _ := forward(t, privatesdk.WithSampler(privatesdk.NeverSample()))
	ctx, span := tracer.Start(context.Background(), "s")
	if trace.SpanFromContext(ctx) != span {
		t.Error("a span that is not recorded is not that of its context")
	}
	tracer, _ = forward(t)
	ctx, span = tracer.Start(ctx, "s")
	if trace.SpanFromContext(context.WithValue(ctx, key{}, 1)) != span {
		t.Error("a span is not that of its context")
	}
	ours, _ := reverse(t)
	privateCtx, privateSpan := ours.Start(context.Background(), "s")
	if private.SpanFromContext(privateCtx) != privateSpan {
		t.Error("a stand-in is not that of its context")
	}
	if trace.SpanFromContext(private.ContextWithSpan(context.Background(), privateSpan)) != trace.SpanFromContext(privateCtx) {
		t.Error("a stand-in did not go back as the program's own span")
	}
}

func TestScope(t *testing.T) {
	tracer, recorded := forward(t)
	_, span := tracer.Start(context.Background(), "s")
	span.End()
	if got := recorded.Ended()[0].InstrumentationScope(); got.Name != "t" || got.Version != "v1" || got.SchemaURL != "url" {
		t.Errorf("scope %+v", got)
	}
}

func TestOptionsOfEvents(t *testing.T) {
	at := time.Unix(1, 0)
	tracer, recorded := forward(t)
	_, span := tracer.Start(context.Background(), "s", trace.WithTimestamp(at))
	span.AddEvent("e", trace.WithTimestamp(at.Add(time.Second)))
	span.RecordError(errors.New("bad"), trace.WithStackTrace(true))
	span.RecordError(nil)
	if l, ok := span.(interface{ AddLink(trace.Link) }); ok {
		l.AddLink(trace.Link{SpanContext: span.SpanContext()})
	} else {
		t.Error("no AddLink")
	}
	span.End(trace.WithTimestamp(at.Add(time.Minute)))
	got := recorded.Ended()[0]
	if !got.StartTime().Equal(at) || !got.EndTime().Equal(at.Add(time.Minute)) || len(got.Events()) != 2 || !got.Events()[0].Time.Equal(at.Add(time.Second)) {
		t.Errorf("from %v to %v, events %v", got.StartTime(), got.EndTime(), got.Events())
	}
	if n := len(got.Events()[1].Attributes); n != 3 {
		t.Errorf("%d attributes of an error with stack", n)
	}
	if len(got.Links()) != 1 || got.Links()[0].SpanContext.SpanID().String() != span.SpanContext().SpanID().String() {
		t.Errorf("links %v", got.Links())
	}
}

// Tracers that the program has made before it sets its provider stay with the first that it sets, as the API's own do; the private API follows the last.
func TestTheProgramsProviders(t *testing.T) {
	if !spans.Connect() {
		t.Fatal("the API has other layouts")
	}
	ours := tracetest.NewSpanRecorder()
	first, second := &recorder{spans: map[string]exported{}}, &recorder{spans: map[string]exported{}}
	var p spans.Providers
	early, instrumentation := p.Forward().Tracer("early"), p.Reverse().Tracer("instrumentation")
	counts := func() [3]int { return [3]int{len(ours.Ended()), len(first.spans), len(second.spans)} }
	spanOfEach := func(want [3]int) {
		t.Helper()
		ctx, parent := early.Start(context.Background(), "early")
		_, child := instrumentation.Start(ctx, "instrumentation")
		if parent.SpanContext().IsValid() && parent.SpanContext().TraceID().String() != child.SpanContext().TraceID().String() {
			t.Error("two traces")
		}
		child.End()
		parent.End()
		if got := counts(); got != want {
			t.Errorf("spans at ours, the first and the second: %v, not %v", got, want)
		}
	}
	spanOfEach([3]int{0, 0, 0})
	p.SetOurs(privatesdk.NewTracerProvider(privatesdk.WithSpanProcessor(ours)))
	spanOfEach([3]int{2, 0, 0})
	p.SetTheirs(sdk.NewTracerProvider(sdk.WithSpanProcessor(programProcessor{first})))
	spanOfEach([3]int{2, 2, 0})
	p.SetTheirs(sdk.NewTracerProvider(sdk.WithSpanProcessor(programProcessor{second})))
	spanOfEach([3]int{2, 3, 1})
	p.SetTheirs(nil)
	spanOfEach([3]int{3, 4, 1})
	if !spans.IsForward(p.Forward()) || !spans.IsReverse(p.Reverse()) || spans.IsForward(sdk.NewTracerProvider()) {
		t.Error("ours are not told from others")
	}
}

// A span's provider makes spans where the span is.
func TestProvidersOfSpans(t *testing.T) {
	tracer, recorded := forward(t)
	_, span := tracer.Start(context.Background(), "s")
	_, other := span.TracerProvider().Tracer("other").Start(context.Background(), "other")
	other.End()
	if len(recorded.Ended()) != 1 {
		t.Error("forward: the span went elsewhere")
	}
	ours, got := reverse(t)
	_, privateSpan := ours.Start(context.Background(), "s")
	_, privateOther := privateSpan.TracerProvider().Tracer("other").Start(context.Background(), "other")
	privateOther.End()
	if len(got.spans) != 1 {
		t.Error("reverse: the span went elsewhere")
	}
}

func TestContextsAreContexts(t *testing.T) {
	tracer, _ := forward(t)
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "v"))
	ctx, _ = tracer.Start(ctx, "s")
	child, stop := context.WithTimeout(ctx, time.Hour)
	defer stop()
	if ctx.Value(key{}) != "v" || child.Value(key{}) != "v" {
		t.Error("a value is lost")
	}
	cancel()
	<-child.Done()
	if !errors.Is(child.Err(), context.Canceled) {
		t.Errorf("the child ended by %v", child.Err())
	}
	if got := fmt.Sprint(ctx); !strings.HasSuffix(got, ".WithValue(span)") {
		t.Errorf("written as %s", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for a context of nil")
		}
	}()
	private.ContextWithSpan(nil, private.SpanFromContext(ctx)) //nolint:staticcheck // that is the test
}

func TestNoSpan(t *testing.T) {
	if !spans.Connect() {
		t.Fatal("the API has other layouts")
	}
	for _, ctx := range []context.Context{nil, context.Background(), private.ContextWithSpan(context.Background(), nil), trace.ContextWithSpan(context.Background(), nil)} {
		if s := private.SpanFromContext(ctx); s == nil || s.SpanContext().IsValid() {
			t.Errorf("%v has the private span %v", ctx, s)
		}
		if s := trace.SpanFromContext(ctx); s == nil || s.SpanContext().IsValid() {
			t.Errorf("%v has the span %v", ctx, s)
		}
		if private.SpanContextFromContext(ctx).IsValid() {
			t.Errorf("%v has a span context", ctx)
		}
	}
	if spans.Private(nil) != nil || spans.Program(nil) != nil {
		t.Error("nil became a span")
	}
}
