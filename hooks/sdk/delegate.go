package sdk

import (
	"context"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
)

// A program may set providers of its own, in main or later, after it has made tracers and instruments in variables of its
// packages. In the plain program those begin to work with the provider that is set first, and stay with it. Here, ours is first.
// So what is set globally is a stand-in for the SDK's provider: what it makes follows the global provider of the moment.

// sameProvider compares interface variables by their words: the dynamic type need not be comparable.
func sameProvider[T any](a, b *T) bool {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(a)) == *(*[2]unsafe.Pointer)(unsafe.Pointer(b))
}

type tracerProvider struct{ trace.TracerProvider }

func (p *tracerProvider) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	return &tracer{Tracer: p.TracerProvider.Tracer(name, opts...), home: p, name: name, opts: opts}
}

type tracer struct {
	trace.Tracer
	home *tracerProvider
	name string
	opts []trace.TracerOption
	last atomic.Pointer[foreignTracer]
}

type foreignTracer struct {
	provider trace.TracerProvider
	tracer   trace.Tracer
}

// Start implements trace.Tracer.
func (t *tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !followSpans || rt.InHook() {
		return t.current().Start(ctx, name, opts...)
	}
	if ctx = active.Complete(ctx); ctx != nil && isExcluded(ctx, opts) {
		return ctx, trace.SpanFromContext(ctx)
	}
	ctx, span := t.current().Start(ctx, name, opts...)
	active.Started(ctx, span)
	return ctx, span
}

// isExcluded reports whether no span is wanted below that of a context, whatever the sampler says. A new root is not below it.
func isExcluded(ctx context.Context, opts []trace.SpanStartOption) bool {
	if !active.IsExcluded(trace.SpanFromContext(ctx)) {
		return false
	}
	config := trace.NewSpanStartConfig(opts...)
	return !config.NewRoot()
}

func (t *tracer) current() trace.Tracer {
	now := otel.GetTracerProvider()
	if p, ok := now.(*tracerProvider); ok && p == t.home {
		return t.Tracer
	}
	if last := t.last.Load(); last != nil && sameProvider(&last.provider, &now) {
		return last.tracer
	}
	f := &foreignTracer{now, now.Tracer(t.name, t.opts...)}
	if own, ok := f.tracer.(*tracer); ok && own.home == t.home {
		return t.Tracer // the program's provider hands out ours
	}
	t.last.Store(f)
	return f.tracer
}

type propagator struct{ propagation.TextMapPropagator }

func (p *propagator) current() propagation.TextMapPropagator {
	now := otel.GetTextMapPropagator()
	if _, ok := now.(*propagator); ok {
		return p.TextMapPropagator
	}
	return now
}

// Inject implements propagation.TextMapPropagator.
func (p *propagator) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	p.current().Inject(ctx, carrier)
}

// Extract implements propagation.TextMapPropagator.
func (p *propagator) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	return p.current().Extract(ctx, carrier)
}

// Fields implements propagation.TextMapPropagator.
func (p *propagator) Fields() []string { return p.current().Fields() }
