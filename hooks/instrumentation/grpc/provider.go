package grpc

import (
	"context"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"google.golang.org/grpc/stats"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt/border"
)

// otelgrpc takes the global providers and the propagator once, when a handler is made. The program may set its own later, or have several. So otelgrpc
// gets a tracer provider and a propagator that look them up at each use, and its handlers are made again when the meter provider has changed.

// follower makes handlers of otelgrpc for the meter provider that is the global one.
type follower struct {
	make    func(...otelgrpc.Option) stats.Handler
	tracers tracers
	opts    []otelgrpc.Option
	last    atomic.Pointer[handlerOf]
}

type handlerOf struct {
	provider metric.MeterProvider
	handler  stats.Handler
}

func (f *follower) current() stats.Handler {
	mp := otel.GetMeterProvider()
	if last := f.last.Load(); last != nil && words(&last.provider) == words(&mp) {
		return last.handler
	}
	opts := append([]otelgrpc.Option{otelgrpc.WithTracerProvider(f.tracers), otelgrpc.WithMeterProvider(mp)}, f.opts...)
	h := &handlerOf{provider: mp, handler: f.make(opts...)}
	f.last.Store(h)
	return h.handler
}

// words returns the two words of an interface variable: a provider need not be comparable.
func words[T any](iface *T) [2]unsafe.Pointer {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(iface))
}

// tracers implements trace.TracerProvider.
type tracers struct {
	embedded.TracerProvider
	server bool
}

// Tracer implements trace.TracerProvider.
func (t tracers) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	return &tracer{server: t.server, name: name, opts: opts}
}

type tracer struct {
	embedded.Tracer
	server  bool
	name    string
	opts    []trace.TracerOption
	tracers active.Tracers
}

// Start implements trace.Tracer. A child belongs to the provider of its parent.
func (t *tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	if local, ok := ctx.Value(localKey{}).(trace.Span); ok && t.server {
		ctx = trace.ContextWithSpan(ctx, local)
	}
	parent := trace.SpanFromContext(ctx)
	if active.IsExcluded(parent) {
		return ctx, parent // which is not recorded, so otelgrpc does not end it
	}
	tracer := t.tracers.For(parent, otel.GetTracerProvider, func(tp trace.TracerProvider) trace.Tracer { return tp.Tracer(t.name, t.opts...) })
	return tracer.Start(ctx, name, opts...)
}

// localKey is that of a span of this process which is the parent of a server's span.
type localKey struct{}

// received is the propagator of servers.
type received struct{}

// Inject implements propagation.TextMapPropagator.
func (received) Inject(context.Context, propagation.TextMapCarrier) {}

// Extract implements propagation.TextMapPropagator. What a span of this process is the parent of has been extracted before.
func (received) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	if ctx.Value(localKey{}) != nil {
		return ctx
	}
	if border.Trusts() {
		return otel.GetTextMapPropagator().Extract(ctx, short{carrier})
	}
	sender := otel.GetTextMapPropagator().Extract(context.Background(), short{carrier}) // for a link, see public
	return trace.ContextWithRemoteSpanContext(ctx, trace.SpanContextFromContext(sender))
}

// Fields implements propagation.TextMapPropagator.
func (received) Fields() []string { return otel.GetTextMapPropagator().Fields() }

// public reports whether a server's span begins a new trace, with a link to the caller's.
func public(ctx context.Context, _ *stats.RPCTagInfo) bool {
	return !border.Trusts() && ctx.Value(localKey{}) == nil
}

// short leaves out metadata that is longer than it should be: spans keep the trace state, and with it the text that it is a part of.
type short struct{ propagation.TextMapCarrier }

const longestContext = 8192 // W3C Baggage, 3.3.2; trace state is shorter

// Get implements propagation.TextMapCarrier.
func (s short) Get(key string) string {
	if v := s.TextMapCarrier.Get(key); len(v) <= longestContext {
		return v
	}
	return ""
}

// sent is the propagator of clients.
type sent struct{}

// Inject implements propagation.TextMapPropagator.
func (sent) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	otel.GetTextMapPropagator().Inject(ctx, carrier)
}

// Extract implements propagation.TextMapPropagator.
func (sent) Extract(ctx context.Context, _ propagation.TextMapCarrier) context.Context { return ctx }

// Fields implements propagation.TextMapPropagator.
func (sent) Fields() []string { return otel.GetTextMapPropagator().Fields() }

// silent is the propagator of clients that are outside the border.
type silent struct{ sent }

// Inject implements propagation.TextMapPropagator.
func (silent) Inject(context.Context, propagation.TextMapCarrier) {}
