package active

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// starter is a tracer of the private SDK.
type starter interface {
	StartSpan(ctx context.Context, name string, kind trace.SpanKind, timestamp time.Time, attributes []attribute.KeyValue) (context.Context, trace.Span)
}

// Start starts a span as the tracer does, without options where it can: these take allocations. The attributes are copied.
func Start(ctx context.Context, tracer trace.Tracer, name string, kind trace.SpanKind, timestamp time.Time, attributes []attribute.KeyValue) (context.Context, trace.Span) {
	if t, ok := tracer.(starter); ok {
		return t.StartSpan(ctx, name, kind, timestamp, attributes)
	}
	return tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithTimestamp(timestamp), trace.WithAttributes(attributes...))
}
