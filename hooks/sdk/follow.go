//go:build !otelobj_program

package sdk

import (
	"context"

	"go.opentelemetry.io/otel/sdk/trace"
	apitrace "go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
)

// Spans that the program makes itself get the goroutine's parent, and are active on it until they end. Those of our SDK are seen where every span of
// it starts (hooks/private/replace.yaml): who has made the tracer does not matter. Those of an SDK of the program's own are seen by hooks/bridge/own.

// follower is what the private SDK's provider is asked for.
type follower interface {
	Follow(begin func(ctx context.Context, newRoot bool) (with context.Context, none bool), begun func(ctx context.Context, span apitrace.Span))
}

func follow(tp *trace.TracerProvider) {
	if f, ok := any(tp).(follower); ok {
		f.Follow(beginSpan, spanBegun)
	}
}

// beginSpan returns the context that a span starts with, or that none is wanted.
func beginSpan(ctx context.Context, newRoot bool) (with context.Context, none bool) {
	if rt.InHook() {
		return ctx, false
	}
	ctx = active.Complete(ctx)
	// No span is wanted below some, whatever the sampler says. A new root is not below it.
	return ctx, ctx != nil && !newRoot && active.IsExcluded(apitrace.SpanFromContext(ctx))
}

func spanBegun(ctx context.Context, span apitrace.Span) {
	if !rt.InHook() {
		active.Started(ctx, span)
	}
}
