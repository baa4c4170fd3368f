// Package spans has the hooks on the program's own tracing SDK, compiled against that SDK. Its spans are the program's, and go where the program sends
// them; what is known of them is which is active on a goroutine, so that others have the right parent, and which are open when the program ends.
package spans

import (
	"context"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"otelobj.hooks/github.com/otelobj/otelobj/hooks/active"

	"github.com/otelobj/otelobj/hooks/bridge/own/flush"
	"github.com/otelobj/otelobj/hooks/bridge/spans"
)

// Where the API is not laid out as its releases are, spans cannot be looked at, and all that is done is that the provider is flushed.

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetParam(idx int, val any)
}

// BeforeStart runs before go.opentelemetry.io/otel/sdk/trace.(*tracer).Start(ctx, name, options...).
func BeforeStart(ictx HookContext, _ interface{}, ctx context.Context, _ string, _ []trace.SpanStartOption) {
	if !spans.Connect() {
		return
	}
	if with, joined := active.Joined(ctx); joined {
		ictx.SetParam(1, with)
	}
}

// AfterStart runs when it has returned. After a panic there is no span.
func AfterStart(_ HookContext, ctx context.Context, span trace.Span) {
	if ctx != nil && span != nil && spans.Connect() && span.IsRecording() {
		active.Started(ctx, spans.Private(span))
	}
}

// BeforeEnd runs before (*recordingSpan).End(options...).
func BeforeEnd(_ HookContext, span interface{}, _ []trace.SpanEndOption) {
	if s, ok := span.(trace.Span); ok && spans.Connect() {
		active.Ended(spans.Private(s).SpanContext())
	}
}

// AfterNewTracerProvider runs when go.opentelemetry.io/otel/sdk/trace.NewTracerProvider has returned.
func AfterNewTracerProvider(_ HookContext, p *sdk.TracerProvider) {
	if p == nil {
		return
	}
	if spans.Connect() {
		p.RegisterSpanProcessor(processor{})
	}
	flush.AtExit(p)
}

// processor says which spans are open.
type processor struct{}

// OnStart implements sdk.SpanProcessor.
func (processor) OnStart(_ context.Context, span sdk.ReadWriteSpan) {
	active.Opened(spans.Private(span))
}

// OnEnd implements sdk.SpanProcessor.
func (processor) OnEnd(span sdk.ReadOnlySpan) {
	active.Closed(spans.PrivateContext(span.SpanContext()))
}

// Shutdown implements sdk.SpanProcessor.
func (processor) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdk.SpanProcessor.
func (processor) ForceFlush(context.Context) error { return nil }
