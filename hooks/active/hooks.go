package active

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt"
)

// Parameters have the types of the targets' own where a value may lie on the caller's stack: such a value is not shown as interface{}.

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetData(data any)
	GetData() any
	SetParam(idx int, val any)
}

// BeforeStart runs before go.opentelemetry.io/otel/sdk/trace.(*tracer).Start(ctx, name, options...).
func BeforeStart(ictx HookContext, _ interface{}, ctx context.Context, _ string, _ []trace.SpanStartOption) {
	if with, joined := Joined(ctx); joined {
		ictx.SetParam(1, with)
	}
}

// BeforeStartWithConfig runs before (*tracer).StartWithConfig(ctx, name, config) of the private copy of the SDK, with which all of its spans start
// (hooks/private/replace.yaml): Start calls it, and so does the bridge.
func BeforeStartWithConfig(ictx HookContext, _ interface{}, ctx context.Context, _ string, _ trace.SpanConfig) {
	if with, joined := Joined(ctx); joined {
		ictx.SetParam(1, with)
	}
}

// AfterStart runs when one of them has returned. After a panic there is no span.
func AfterStart(_ HookContext, ctx context.Context, span trace.Span) { Started(ctx, span) }

// BeforeEnd runs before (*recordingSpan).End(options...).
func BeforeEnd(_ HookContext, span interface{}, _ []trace.SpanEndOption) {
	if s, ok := span.(trace.Span); ok {
		Ended(s.SpanContext())
	}
}

// BeforeOnce runs before sync.(*Once).doSlow(f): goroutines that f starts, the workers of a package for example, serve more than the
// request that happened to be the first.
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

// The hooks below run at the beginning of goroutines that serve many requests. Which one fits is a matter of parameters.

// BeforeGoroutine is for a function or a closure without parameters: what a go statement with a func literal starts.
func BeforeGoroutine(HookContext) { rt.Detach() }

// BeforeWorker is for a method without parameters, or a function with one.
func BeforeWorker(HookContext, interface{}) { rt.Detach() }

// BeforeWorkerOf is for a method with one parameter, or a function with two.
func BeforeWorkerOf(HookContext, interface{}, interface{}) { rt.Detach() }

// BeforeWorkerOfTwo is for a method with two parameters, or a function with three.
func BeforeWorkerOfTwo(HookContext, interface{}, interface{}, interface{}) { rt.Detach() }
