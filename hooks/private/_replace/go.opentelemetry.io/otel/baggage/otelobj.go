package baggage

import "context"

// ContextBridge answers in place of the functions of context.go, as that of package trace does.
type ContextBridge struct {
	Set func(parent context.Context, b Baggage) context.Context
	Get func(ctx context.Context) Baggage
}

var bridge *ContextBridge

// SetContextBridge must be called before any goroutine uses contexts: in an init function.
func SetContextBridge(b *ContextBridge) { bridge = b }
