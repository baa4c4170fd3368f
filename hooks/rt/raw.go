package rt

import "unsafe"

// HookSpan is set in [Hook.Flags] where the rule says `span`.
const HookSpan = 1 << 0

// OnStack reports whether p points into the running goroutine's stack: code that reads the areas of a call itself must not keep
// such a pointer, nor hand it to anyone who might.
//
//go:norace
func OnStack(p unsafe.Pointer) bool {
	g := current()
	return g != nil && onStack(p, g)
}

// SetSpansEnabled switches the spans that rules ask for, whatever their instrumentations are called. It returns how many there are.
//
//go:norace
func SetSpansEnabled(on bool) int {
	return setEnabled((*Hook).isSpan, on)
}

//go:norace
func (h *Hook) isSpan() bool { return h.Flags&HookSpan != 0 }
