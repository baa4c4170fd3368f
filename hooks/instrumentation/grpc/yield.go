package grpc

import (
	"context"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"
	rpc "google.golang.org/grpc"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt/contexts"
)

// A program that uses otelgrpc itself is mostly noticed when the client or the server is made: see options.go. An interceptor of otelgrpc may also stand inside
// another one, such as the chain of go-grpc-middleware. It is noticed when it runs.

type quietKey struct{}

// quietContext is that of a call that the program traces itself.
type quietContext struct{ context.Context }

// Value implements context.Context.
func (c quietContext) Value(key any) any {
	if key == (quietKey{}) {
		return true
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer.
func (c quietContext) String() string { return contexts.Name(c.Context) }

func isQuiet(ctx context.Context) bool { return ctx.Value(quietKey{}) != nil }

// BeforeUnaryClient runs before a client's interceptor of otelgrpc, before the stats handlers.
func BeforeUnaryClient(ictx HookContext, ctx context.Context, _ string, _, _ any, _ *rpc.ClientConn, _ rpc.UnaryInvoker, _ []rpc.CallOption) {
	if ctx != nil {
		ictx.SetParam(0, contexts.Offering(quietContext{ctx}, ctx))
	}
}

// BeforeStreamClient is BeforeUnaryClient for streams.
func BeforeStreamClient(ictx HookContext, ctx context.Context, _ *rpc.StreamDesc, _ *rpc.ClientConn, _ string, _ rpc.Streamer, _ []rpc.CallOption) {
	if ctx != nil {
		ictx.SetParam(0, contexts.Offering(quietContext{ctx}, ctx))
	}
}

// BeforeUnaryServer runs before a server's interceptor of otelgrpc, after the stats handlers.
func BeforeUnaryServer(ictx HookContext, ctx context.Context, _ any, _ *rpc.UnaryServerInfo, _ rpc.UnaryHandler) {
	if hidden := yield(ctx); hidden != nil {
		ictx.SetParam(0, hidden)
	}
}

// BeforeStreamServer is BeforeUnaryServer for streams.
func BeforeStreamServer(ictx HookContext, _ any, stream rpc.ServerStream, _ *rpc.StreamServerInfo, _ rpc.StreamHandler) {
	if stream == nil {
		return
	}
	if hidden := yield(stream.Context()); hidden != nil {
		ictx.SetParam(1, hiddenStream{stream, hidden})
	}
}

// hiddenStream is a stream whose context has no span of ours. An interceptor that wraps it, as otelgrpc's does, hides its type anyway.
type hiddenStream struct {
	rpc.ServerStream
	ctx context.Context
}

// Context implements grpc.ServerStream.
func (s hiddenStream) Context() context.Context { return s.ctx }

// yield drops our span of a call, and is silent from now on. It returns the context without the span, nil if there is nothing to hide.
func yield(ctx context.Context) context.Context {
	if ctx == nil {
		return nil
	}
	c, ok := ctx.Value(serverKey{}).(*serverCall)
	if !ok || c.unknown != "" {
		return nil
	}
	c.handler.quiet.Store(true)
	if !trace.SpanContextFromContext(ctx).Equal(c.span.SpanContext()) { // a span itself need not be comparable
		return nil // our span has a child, which must not lose its parent
	}
	if c.quiet.Swap(true) {
		return nil
	}
	c.scope.Leave()
	active.Drop(c.span) // never ended, so never exported
	var outer trace.Span
	if span := trace.SpanFromContext(c.outer); span.SpanContext().IsValid() {
		outer = span
	}
	return baggage.ContextWithBaggage(trace.ContextWithSpan(ctx, outer), baggage.FromContext(c.outer))
}
