package active

import (
	"sync"

	"github.com/otelobj/otelobj/hooks/rt"
)

// Parameters have the targets' own types if a value may be on the caller's stack: a hook does not get such a value as interface{}.

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetData(data any)
	GetData() any
}

// BeforeOnce runs before sync.(*Once).doSlow(f): goroutines that f starts, the workers of a package for example, serve more than the
// request that came first.
func BeforeOnce(ictx HookContext, _ *sync.Once, _ func()) {
	if s := rt.HoldBack(); s != nil {
		ictx.SetData(s)
	}
}

// AfterOnce runs when it has returned, or was unwound.
func AfterOnce(ictx HookContext) {
	if s, ok := ictx.GetData().(*rt.Scope); ok {
		s.Leave()
	}
}

// The hooks below run at the beginning of goroutines that serve many requests. Which one fits depends on the parameters.

// BeforeGoroutine is for a function or a closure without parameters: what a go statement with a func literal starts.
func BeforeGoroutine(HookContext) { rt.Detach() }

// BeforeWorker is for a method without parameters, or a function with one.
func BeforeWorker(HookContext, interface{}) { rt.Detach() }

// BeforeWorkerOf is for a method with one parameter, or a function with two.
func BeforeWorkerOf(HookContext, interface{}, interface{}) { rt.Detach() }

// BeforeWorkerOfTwo is for a method with two parameters, or a function with three.
func BeforeWorkerOfTwo(HookContext, interface{}, interface{}, interface{}) { rt.Detach() }

// BeforeWorkerOfThree is for a method with three parameters, or a function with four.
func BeforeWorkerOfThree(HookContext, interface{}, interface{}, interface{}, interface{}) {
	rt.Detach()
}
