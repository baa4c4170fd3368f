package baggage

import (
	"context"
	"sync/atomic"
)

// ContextBridge answers in place of the functions of context.go, as that of package trace does.
type ContextBridge struct {
	Set func(parent context.Context, b Baggage) context.Context
	Get func(ctx context.Context) Baggage
}

// bridge is read by goroutines of the program's init functions, which may run before it is set.
var bridge atomic.Pointer[ContextBridge]

// SetContextBridge is for an init function: what was set in a context before is not seen any more.
func SetContextBridge(b *ContextBridge) { bridge.Store(b) }
