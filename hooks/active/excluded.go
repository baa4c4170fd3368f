package active

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
)

// excluded stands for work that should have no span, nor any below it. It is a span that is not sampled: services that are called from here see
// that, and samplers that look at the parent respect it. Whatever the sampler says, hooks that use [Context] and [IsExcluded] start no span
// below it.
type excluded struct{ trace.Span }

// Exclude returns ctx with a span that is not recorded, in the trace that ctx names or in one of its own.
func Exclude(ctx context.Context) (context.Context, trace.Span) {
	if to := through.Load(); to != nil {
		return to.Exclude(ctx)
	}
	named := trace.SpanContextFromContext(ctx)
	id := named.TraceID()
	for !id.IsValid() {
		binary.BigEndian.PutUint64(id[:8], rand.Uint64())
		binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	}
	var span trace.SpanID
	for !span.IsValid() {
		binary.BigEndian.PutUint64(span[:], rand.Uint64())
	}
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceState: named.TraceState()})
	s := &excluded{trace.SpanFromContext(trace.ContextWithSpanContext(ctx, sc))}
	return trace.ContextWithSpan(ctx, s), s
}

// IsExcluded reports whether no span is wanted where this one is the parent.
func IsExcluded(parent trace.Span) bool {
	if to := through.Load(); to != nil {
		return to.IsExcluded(parent)
	}
	_, ok := parent.(*excluded)
	return ok
}
