package nethttp

import (
	"context"
	"fmt"
	"reflect"
)

// Package context asks contexts of other packages for two methods. A wrapper of ours has them as what it wraps.

// afterFuncer is one that calls a function when it is done. To others, package context adds a goroutine that waits.
type afterFuncer interface {
	AfterFunc(f func()) (stop func() bool)
}

type afterFuncContext struct {
	context.Context
	afterFuncer
}

// String implements fmt.Stringer.
func (c afterFuncContext) String() string { return contextName(c.Context) }

// offering returns wrapper with the AfterFunc of the program's context, if that has one.
func offering(wrapper, wrapped context.Context) context.Context {
	if a, ok := wrapped.(afterFuncer); ok {
		return afterFuncContext{wrapper, a}
	}
	return wrapper
}

// contextName is what package context calls a context.
func contextName(ctx context.Context) string {
	if s, ok := ctx.(fmt.Stringer); ok {
		return s.String()
	}
	return reflect.TypeOf(ctx).String()
}
