package grpc

import (
	"context"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
)

// While a call is processed, its span is active on the goroutine. The functions that do that have changed: each kind has a hook.

// BeforeProcess runs before (*Server).processRPC(ctx, stream, info, desc, trInfo).
func BeforeProcess(ictx HookContext, _ interface{}, ctx context.Context, _, _, _, _ interface{}) {
	enter(ictx, ctx)
}

// BeforeProcessTransport runs before (*Server).processUnaryRPC and processStreamingRPC(ctx, t, stream, info, desc, trInfo).
func BeforeProcessTransport(ictx HookContext, _ interface{}, ctx context.Context, _, _, _, _, _ interface{}) {
	enter(ictx, ctx)
}

// BeforeProcessStream runs before them in releases that have the context in the stream: (t, stream, info, desc, trInfo).
func BeforeProcessStream(ictx HookContext, _, _, stream, _, _, _ interface{}) {
	if s, ok := stream.(interface{ Context() context.Context }); ok {
		enter(ictx, s.Context())
	}
}

func enter(ictx HookContext, ctx context.Context) {
	if ctx == nil {
		return
	}
	if c, ok := ctx.Value(serverKey{}).(*serverCall); ok && !c.quiet.Load() && c.unknown == "" {
		c.scope = active.Enter(ctx, c.span)
		ictx.SetData(c.scope)
	}
}

// AfterProcess runs when they have returned, or were unwound.
func AfterProcess(ictx HookContext, _ error) {
	if s, ok := ictx.GetData().(*rt.Scope); ok {
		s.Leave()
	}
}
