package command

import (
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

const (
	// scope is the name under which spans and metrics arrive, whatever the import path is.
	scope   = "github.com/otelobj/otelobj/hooks/instrumentation/redis"
	version = "0.1.0"
)

var tracers active.Tracers

// tracerFor returns the tracer for a child of a span.
func tracerFor(parent trace.Span) trace.Tracer {
	return tracers.For(parent, otel.GetTracerProvider, func(tp trace.TracerProvider) trace.Tracer {
		return tp.Tracer(scope, trace.WithInstrumentationVersion(version))
	})
}

// The program may set its meter provider at any time, so it is looked up at every use. What was created with it is kept until another one is found. Providers
// are compared by their interface words: a provider need not be comparable.
var lastMeter atomic.Pointer[instruments]

type instruments struct {
	provider metric.MeterProvider
	duration metric.Float64Histogram
}

func meters() *instruments {
	mp := otel.GetMeterProvider()
	if last := lastMeter.Load(); last != nil && words(&last.provider) == words(&mp) {
		return last
	}
	m := mp.Meter(scope, metric.WithInstrumentationVersion(version))
	h, err := m.Float64Histogram("db.client.operation.duration", metric.WithDescription("Duration of database client operations."), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10))
	if err != nil {
		otel.Handle(err)
	}
	in := &instruments{provider: mp, duration: h}
	lastMeter.Store(in)
	return in
}

// words returns the two words of an interface variable.
func words[T any](iface *T) [2]unsafe.Pointer {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(iface))
}

// What metrics tell apart. A program may pass on commands of others, and a cluster names its servers.
var (
	names   = sanitize.NewFirst(500)
	kinds   = sanitize.NewFirst(100)
	servers = sanitize.NewFirst(100)
)

// bounded replaces the server of a metric's attributes, if it is one too many.
func bounded(attrs []attribute.KeyValue) []attribute.KeyValue {
	host, port, at := "", "", -1
	for i, a := range attrs {
		switch a.Key {
		case keyServer:
			host, at = a.Value.AsString(), i
		case keyServerPort:
			port = a.Value.Emit()
		}
	}
	if at < 0 || servers.Has(host+" "+port) {
		return attrs
	}
	return append(attrs[:at], keyServer.String(methodOther))
}
