package trace

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
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

// StartSpan is Start for hooks, which have no options: these take allocations. The attributes are not kept.
func (tr *tracer) StartSpan(ctx context.Context, name string, kind trace.SpanKind, timestamp time.Time, attributes []attribute.KeyValue) (context.Context, trace.Span) {
	return tr.StartWithConfig(ctx, name, trace.SpanConfigOf(kind, timestamp, attributes))
}

const (
	// fewAttributes are compared with each other faster than a map of them is made.
	fewAttributes = 32
	// laterAttributes are those that a span gets after its start, as most spans do: a status, sizes, an error.
	laterAttributes = 6
)

// grow makes room for n attributes more, and for later ones with the first.
func (s *recordingSpan) grow(n int) {
	if s.attributes == nil {
		n += laterAttributes
	}
	s.attributes = slices.Grow(s.attributes, n)
}

// dedupeFew is dedupeAttrsFromRecord without a record: of several attributes with a key the last one is kept, in the place of the first.
func (s *recordingSpan) dedupeFew() {
	unique := s.attributes[:0]
	for _, a := range s.attributes {
		if i := slices.IndexFunc(unique, func(earlier attribute.KeyValue) bool { return earlier.Key == a.Key }); i >= 0 {
			unique[i] = a
		} else {
			unique = append(unique, a)
		}
	}
	clear(s.attributes[len(unique):])
	s.attributes = unique
	s.attributesDirty = false
}
