package spans

import (
	"context"
	"runtime"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"otelobj.hooks/github.com/otelobj/otelobj/hooks/active"
	private "otelobj.private/go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/bridge/spans"
)

// keeper stands for package sdk.
type keeper struct {
	open      map[private.SpanID]private.Span
	providers []func() active.Flusher
}

func (k *keeper) Opened(span private.Span)            { k.open[span.SpanContext().SpanID()] = span }
func (k *keeper) Closed(span private.SpanContext)     { delete(k.open, span.SpanID()) }
func (k *keeper) Made(provider func() active.Flusher) { k.providers = append(k.providers, provider) }

type ended struct{ names []string }

func (*ended) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (e *ended) OnEnd(s sdk.ReadOnlySpan)                 { e.names = append(e.names, s.Name()) }
func (*ended) Shutdown(context.Context) error             { return nil }
func (*ended) ForceFlush(context.Context) error           { return nil }

// Spans of the program's own SDK are known while they are open, with their parents, and can be ended; its provider is flushed as long as it is there.
func TestTheProgramsOwnSDK(t *testing.T) {
	if !spans.Connect() {
		t.Fatal("the API has other layouts")
	}
	k := &keeper{open: map[private.SpanID]private.Span{}}
	active.Keep(k)
	var e ended
	func() {
		p := sdk.NewTracerProvider(sdk.WithSpanProcessor(&e))
		AfterNewTracerProvider(nil, p)
		AfterNewTracerProvider(nil, nil)
		ctx, parent := p.Tracer("t").Start(context.Background(), "parent")
		_, child := p.Tracer("t").Start(ctx, "child")
		if len(k.open) != 2 {
			t.Fatalf("%d open spans", len(k.open))
		}
		known := k.open[private.SpanID(child.SpanContext().SpanID())]
		asked, ok := known.(interface{ Parent() private.SpanContext })
		if !ok || asked.Parent().SpanID() != private.SpanID(parent.SpanContext().SpanID()) {
			t.Error("the parent is not known")
		}
		known.End()
		parent.End()
		if len(k.open) != 0 || len(e.names) != 2 || e.names[0] != "child" {
			t.Errorf("%d open spans; ended: %v", len(k.open), e.names)
		}
		if len(k.providers) != 1 || k.providers[0]() == nil || k.providers[0]().ForceFlush(ctx) != nil {
			t.Error("the provider is not flushed")
		}
	}()
	for range 10 {
		runtime.GC()
	}
	if k.providers[0]() != nil {
		t.Error("the provider is kept alive")
	}
}

type call struct{ set int }

func (c *call) SetParam(int, any) { c.set++ }

func TestHooksWithoutAScope(t *testing.T) {
	if !spans.Connect() {
		t.Fatal("the API has other layouts")
	}
	var c call
	BeforeStart(&c, nil, context.Background(), "s", nil)
	BeforeStart(&c, nil, nil, "s", nil)
	if c.set != 0 {
		t.Error("a context was changed in a program that was not linked")
	}
	AfterStart(&c, nil, nil)
	ctx, span := sdk.NewTracerProvider().Tracer("t").Start(context.Background(), "s")
	AfterStart(&c, ctx, span)
	BeforeEnd(&c, span, nil)
	BeforeEnd(&c, 1, nil)
	AfterStart(&c, ctx, trace.SpanFromContext(context.Background()))
}

// tests/hooks/test_bridge.py runs this with a fork whose span contexts have another layout: nothing of its spans may be looked at.
func TestAForkOfTheAPI(t *testing.T) {
	if spans.Connect() {
		t.Skip("the API is laid out as its releases are")
	}
	k := &keeper{open: map[private.SpanID]private.Span{}}
	active.Keep(k)
	p := sdk.NewTracerProvider()
	AfterNewTracerProvider(nil, p)
	var c call
	ctx := context.Background()
	BeforeStart(&c, nil, ctx, "s", nil)
	ctx, span := p.Tracer("t").Start(ctx, "s")
	AfterStart(&c, ctx, span)
	if len(k.open) != 0 || c.set != 0 {
		t.Errorf("%d open spans, %d contexts", len(k.open), c.set)
	}
	BeforeEnd(&c, span, nil)
	span.End()
	if len(k.providers) != 1 || k.providers[0]() != active.Flusher(p) {
		t.Error("the provider is not flushed")
	}
}
