// Package contexts keeps a wrapper around a context of the program's from hiding what package context asks contexts for: two methods.
//
// It imports nothing but the standard library.
package contexts

import (
	"context"
	"fmt"
	"reflect"
)

// afterFuncer is a context that calls a function when it is done. To others, package context adds a goroutine that waits (context.go, propagateCancel,
// Go 1.22-1.27).
type afterFuncer interface {
	AfterFunc(f func()) (stop func() bool)
}

type afterFuncContext struct {
	context.Context
	afterFuncer
}

// String implements fmt.Stringer.
func (c afterFuncContext) String() string { return Name(c.Context) }

// Offering returns wrapper with the AfterFunc of the context that it wraps, if that has one.
func Offering(wrapper, wrapped context.Context) context.Context {
	if a, ok := wrapped.(afterFuncer); ok {
		return afterFuncContext{wrapper, a}
	}
	return wrapper
}

// Offered returns the wrapper that was given to Offering.
func Offered(ctx context.Context) context.Context {
	if c, ok := ctx.(afterFuncContext); ok {
		return c.Context
	}
	return ctx
}

// Name is what package context calls a context. A wrapper has it as its String, or printing one would print what we know of the call.
func Name(ctx context.Context) string {
	if s, ok := ctx.(fmt.Stringer); ok {
		return s.String()
	}
	return reflect.TypeOf(ctx).String()
}
