package database

import (
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Scope is the instrumentation scope of a library.
//
// The program may set its providers at any time, so the global ones are looked up at every use. What was created with them is kept until another one is
// found. Providers are compared by their interface words: a provider need not be comparable.
type Scope struct {
	Name, Version string
	// Observe, if not nil, is called for each meter that is new, to let it observe pools.
	Observe func(provider metric.MeterProvider, meter metric.Meter)

	lastTracer atomic.Pointer[tracerOf]
	lastMeter  atomic.Pointer[instruments]
}

type tracerOf struct {
	provider trace.TracerProvider
	tracer   trace.Tracer
}

// tracerFor returns the tracer of the span's provider or, without a span, of the global one: a program may use several providers, and a child belongs to
// that of its parent.
func (s *Scope) tracerFor(span trace.Span) trace.Tracer {
	var tp trace.TracerProvider
	if span.SpanContext().IsValid() {
		tp = span.TracerProvider()
	} else {
		tp = otel.GetTracerProvider()
	}
	if last := s.lastTracer.Load(); last != nil && words(&last.provider) == words(&tp) {
		return last.tracer
	}
	t := &tracerOf{provider: tp, tracer: tp.Tracer(s.Name, trace.WithInstrumentationVersion(s.Version))}
	s.lastTracer.Store(t)
	return t.tracer
}

// instruments are the metrics.
type instruments struct {
	provider metric.MeterProvider
	duration metric.Float64Histogram
}

// Prepare makes the instruments before they are first needed: pools are observed from then on.
func (s *Scope) Prepare() { s.meters() }

func (s *Scope) meters() *instruments {
	mp := otel.GetMeterProvider()
	if last := s.lastMeter.Load(); last != nil && words(&last.provider) == words(&mp) {
		return last
	}
	m := mp.Meter(s.Name, metric.WithInstrumentationVersion(s.Version))
	duration, err := m.Float64Histogram("db.client.operation.duration", metric.WithDescription("Duration of database client operations."),
		metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10))
	handle(err)
	in := &instruments{mp, duration}
	s.lastMeter.Store(in)
	if s.Observe != nil {
		s.Observe(mp, m)
	}
	return in
}

// words returns the two words of an interface variable, pointers kept alive by the interface they come from.
func words[T any](iface *T) [2]unsafe.Pointer {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(iface))
}
