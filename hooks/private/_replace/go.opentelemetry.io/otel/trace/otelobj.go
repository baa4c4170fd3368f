package trace

import "context"

// ContextBridge answers in place of the functions of context.go. Where the program has an API of its own, the program's key is the only truth
// about the span of a context: what is set here is set there, and what is asked for here is looked up there.
type ContextBridge struct {
	Set         func(parent context.Context, span Span) context.Context
	Get         func(ctx context.Context) Span // nil: none
	SpanContext func(ctx context.Context) SpanContext
}

var bridge *ContextBridge

// SetContextBridge must be called before any goroutine uses contexts: in an init function.
func SetContextBridge(b *ContextBridge) { bridge = b }
