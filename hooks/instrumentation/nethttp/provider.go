package nethttp

import (
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
)

const (
	// scope is the name under which spans and metrics arrive, whatever the import path is.
	scope = "github.com/otelobj/otelobj/hooks/nethttp"
	// Version is the version of the instrumentation scope.
	Version = "0.1.0"
)

var tracers active.Tracers

// tracerFor returns the tracer for a child of a span.
func tracerFor(parent trace.Span) trace.Tracer {
	return tracers.For(parent, otel.GetTracerProvider, func(tp trace.TracerProvider) trace.Tracer {
		return tp.Tracer(scope, trace.WithInstrumentationVersion(Version))
	})
}

// The program may set its meter provider at any time, so it is looked up at every use. What was created with it is kept until another one is found. Providers
// are compared by their interface words: a provider need not be comparable.
var lastMeter atomic.Pointer[instruments]

// instruments are the metrics of servers and clients.
type instruments struct {
	provider metric.MeterProvider

	serverDuration     metric.Float64Histogram
	serverRequestSize  metric.Int64Histogram
	serverResponseSize metric.Int64Histogram
	serverActive       metric.Int64UpDownCounter
	clientDuration     metric.Float64Histogram
	clientRequestSize  metric.Int64Histogram
}

func meters() *instruments {
	mp := otel.GetMeterProvider()
	if last := lastMeter.Load(); last != nil && words(&last.provider) == words(&mp) {
		return last
	}
	m := mp.Meter(scope, metric.WithInstrumentationVersion(Version))
	in := &instruments{
		provider:           mp,
		serverDuration:     duration(m, "http.server.request.duration", "Duration of HTTP server requests."),
		serverRequestSize:  size(m, "http.server.request.body.size", "Size of HTTP server request bodies."),
		serverResponseSize: size(m, "http.server.response.body.size", "Size of HTTP server response bodies."),
		serverActive:       requests(m, "http.server.active_requests", "Number of active HTTP server requests."),
		clientDuration:     duration(m, "http.client.request.duration", "Duration of HTTP client requests."),
		clientRequestSize:  size(m, "http.client.request.body.size", "Size of HTTP client request bodies."),
	}
	lastMeter.Store(in)
	return in
}

func duration(m metric.Meter, name, description string) metric.Float64Histogram {
	h, err := m.Float64Histogram(name, metric.WithDescription(description), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	handle(err)
	return h
}

func size(m metric.Meter, name, description string) metric.Int64Histogram {
	h, err := m.Int64Histogram(name, metric.WithDescription(description), metric.WithUnit("By"))
	handle(err)
	return h
}

func requests(m metric.Meter, name, description string) metric.Int64UpDownCounter {
	c, err := m.Int64UpDownCounter(name, metric.WithDescription(description), metric.WithUnit("{request}"))
	handle(err)
	return c
}

func handle(err error) {
	if err != nil {
		otel.Handle(err)
	}
}

// words returns the two words of an interface variable, pointers kept alive by the interface they come from.
func words[T any](iface *T) [2]unsafe.Pointer {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(iface))
}
