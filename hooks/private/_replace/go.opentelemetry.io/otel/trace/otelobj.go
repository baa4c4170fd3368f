package trace

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// ContextBridge answers in place of the functions of context.go. Where the program has an API of its own, the program's key is the only truth
// about the span of a context: what is set here is set there, and what is asked for here is looked up there.
type ContextBridge struct {
	Set         func(parent context.Context, span Span) context.Context
	Get         func(ctx context.Context) Span // nil: none
	SpanContext func(ctx context.Context) SpanContext
}

// bridge is read by goroutines of the program's init functions, which may run before it is set.
var bridge atomic.Pointer[ContextBridge]

// SetContextBridge is for an init function: what was set in a context before is not seen any more.
func SetContextBridge(b *ContextBridge) { bridge.Store(b) }

// SpanConfigOf is NewSpanStartConfig for those who have the values: options take allocations, and a copy of the attributes.
func SpanConfigOf(kind SpanKind, timestamp time.Time, attributes []attribute.KeyValue) SpanConfig {
	return SpanConfig{spanKind: kind, timestamp: timestamp, attributes: attributes}
}
