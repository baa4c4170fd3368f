package database

import (
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
)

// Scope is the instrumentation scope of a library.
//
// The program may set its meter provider at any time, so it is looked up at every use. What was created with it is kept until another one is
// found. Providers are compared by their interface words: a provider need not be comparable.
type Scope struct {
	Name, Version string
	// Observe, if not nil, is called for each meter that is new, to let it observe pools.
	Observe func(provider metric.MeterProvider, meter metric.Meter)

	tracers   active.Tracers
	lastMeter atomic.Pointer[instruments]
}

// tracerFor returns the tracer for a child of a span.
func (s *Scope) tracerFor(parent trace.Span) trace.Tracer {
	return s.tracers.For(parent, otel.GetTracerProvider, func(tp trace.TracerProvider) trace.Tracer {
		return tp.Tracer(s.Name, trace.WithInstrumentationVersion(s.Version))
	})
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
