package trace

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"
)

// follower is asked before every span of this SDK, no matter who has made the tracer, and learns of it. The program may use the SDK before it is set.
type follower struct {
	begin func(ctx context.Context, newRoot bool) (with context.Context, none bool)
	begun func(ctx context.Context, span trace.Span)
}

var following atomic.Pointer[follower]

// Follow sets what is called around the start of every span. begin returns the context to start with, or that no span is wanted; begun gets the
// context with the span.
func (*TracerProvider) Follow(begin func(ctx context.Context, newRoot bool) (with context.Context, none bool), begun func(ctx context.Context, span trace.Span)) {
	following.Store(&follower{begin, begun})
}

// StartWithConfig is what every span of this SDK starts with: Start without options.
func (tr *tracer) StartWithConfig(ctx context.Context, name string, config trace.SpanConfig) (context.Context, trace.Span) {
	following := following.Load()
	if following == nil {
		return tr.startWithConfig(ctx, name, config)
	}
	ctx, none := following.begin(ctx, config.NewRoot())
	if none {
		return ctx, trace.SpanFromContext(ctx)
	}
	ctx, span := tr.startWithConfig(ctx, name, config)
	following.begun(ctx, span)
	return ctx, span
}
