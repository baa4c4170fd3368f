package active

import (
	"context"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel/trace"
)

// Tracers are those of one instrumentation scope. The program may set its provider at any time, so it is looked up at every use; tracers are kept until
// another one is found. Providers are compared by their interface words: they need not be comparable.
type Tracers struct {
	ofGlobal, ofParent atomic.Pointer[tracerOf]
}

type tracerOf struct {
	provider trace.TracerProvider
	tracer   trace.Tracer
}

// For returns the tracer of a parent's provider: a program may use several, and a child belongs to that of its parent. Without a parent, or with one that
// has no provider, it is that of the global one: a context may have been extracted from a message, and has the IDs of a span elsewhere.
//
// global is otel.GetTracerProvider, which this package does not import. make makes the scope's tracer.
func (t *Tracers) For(parent trace.Span, global func() trace.TracerProvider, make func(trace.TracerProvider) trace.Tracer) trace.Tracer {
	if sc := parent.SpanContext(); sc.IsValid() && !sc.IsRemote() {
		if tp := parent.TracerProvider(); providerWords(&tp) != nowhere {
			return tracerOfProvider(&t.ofParent, tp, make)
		}
	}
	return tracerOfProvider(&t.ofGlobal, global(), make)
}

func tracerOfProvider(last *atomic.Pointer[tracerOf], tp trace.TracerProvider, make func(trace.TracerProvider) trace.Tracer) trace.Tracer {
	if kept := last.Load(); kept != nil && providerWords(&kept.provider) == providerWords(&tp) {
		return kept.tracer
	}
	made := &tracerOf{tp, make(tp)}
	last.Store(made)
	return made.tracer
}

// nowhere is the provider of spans that are only the IDs in a context.
var nowhere = func() [2]unsafe.Pointer {
	tp := trace.SpanFromContext(context.Background()).TracerProvider()
	return providerWords(&tp)
}()

func providerWords(tp *trace.TracerProvider) [2]unsafe.Pointer {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(tp))
}
