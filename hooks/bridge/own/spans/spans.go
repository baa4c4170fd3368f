// Package spans has hooks on a tracing SDK of the program's own. Spans that it makes get the goroutine's parent where no context names one, and are active
// on their goroutine; when the program ends, its providers are flushed, and their open spans ended.
package spans

import (
	"context"
	"weak"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	private "otelobj.private/go.opentelemetry.io/otel/trace"

	"otelobj.hooks/github.com/otelobj/otelobj/hooks/active"

	"github.com/otelobj/otelobj/hooks/bridge/spans"
	"github.com/otelobj/otelobj/hooks/rt/openspans"
	"github.com/otelobj/otelobj/hooks/rt/theirs"
)

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetParam(idx int, val any)
}

// AfterNewTracerProvider runs when go.opentelemetry.io/otel/sdk/trace.NewTracerProvider has returned.
func AfterNewTracerProvider(_ HookContext, p *sdk.TracerProvider) {
	if p == nil {
		return
	}
	p.RegisterSpanProcessor(&open)
	theirs.AddOpenSpans(&open)
	made := weak.Make(p)
	theirs.AddProvider(func() theirs.Flusher {
		if p := made.Value(); p != nil {
			f, _ := any(p).(theirs.Flusher)
			return f
		}
		return nil
	})
}

// BeforeStart runs before go.opentelemetry.io/otel/sdk/trace.(*tracer).Start(ctx, name, options...).
func BeforeStart(ictx HookContext, _ interface{}, ctx context.Context, _ string, _ []trace.SpanStartOption) {
	if with, joined := active.Join(ctx); joined {
		ictx.SetParam(1, with)
	}
}

// AfterStart runs when it has returned. After a panic there is no span.
func AfterStart(_ HookContext, ctx context.Context, span trace.Span) {
	if span != nil {
		active.Started(ctx, spans.Private(span))
	}
}

// BeforeEnd runs before (*recordingSpan).End(options...), on the goroutine that ends the span.
func BeforeEnd(_ HookContext, span interface{}, _ []trace.SpanEndOption) {
	if s, ok := span.(trace.Span); ok {
		active.Ended(privateContext(s.SpanContext()))
	}
}

// table knows the spans that are open. It is a span processor of every provider of the program's.
type table struct {
	openspans.Table[sdk.ReadWriteSpan]
}

var open table

// OnStart implements sdk.SpanProcessor.
func (t *table) OnStart(_ context.Context, span sdk.ReadWriteSpan) {
	t.Add(span.SpanContext().SpanID(), span)
}

// OnEnd implements sdk.SpanProcessor.
func (t *table) OnEnd(span sdk.ReadOnlySpan) { t.Remove(span.SpanContext().SpanID()) }

// privateContext is what active asks for: the ID counts.
func privateContext(sc trace.SpanContext) private.SpanContext {
	return private.NewSpanContext(private.SpanContextConfig{TraceID: private.TraceID(sc.TraceID()), SpanID: private.SpanID(sc.SpanID())})
}

// End implements theirs.OpenSpans. The goroutines that spans belong to may still be at work; what they add now is lost.
func (t *table) End() {
	t.Drain(func(span sdk.ReadWriteSpan) {
		span.SetAttributes(attribute.Bool(openspans.EndedAtExit, true))
		span.End()
	})
}

// Parent implements theirs.OpenSpans.
func (t *table) Parent(id openspans.ID) (parent openspans.ID, ok bool) {
	span, ok := t.Get(id)
	if !ok {
		return parent, false
	}
	return openspans.ID(span.Parent().SpanID()), true
}

// Forget implements theirs.OpenSpans.
func (t *table) Forget(id openspans.ID) { t.Remove(id) }

// Shutdown implements sdk.SpanProcessor.
func (*table) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdk.SpanProcessor.
func (*table) ForceFlush(context.Context) error { return nil }
