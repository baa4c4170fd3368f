package rt

import "unsafe"

// OnStack reports whether p points into the running goroutine's stack: code that reads the areas of a call itself must not keep
// such a pointer, nor hand it to anyone who might.
//
//go:norace
func OnStack(p unsafe.Pointer) bool {
	g := current()
	return g != nil && onStack(p, g)
}
