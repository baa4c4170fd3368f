package otel

import (
	"sync"

	"go.opentelemetry.io/otel/internal/global"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// A relay stands between what is set and what becomes global, where the program has an API of its own. It is handed each value that is set, and
// what it returns becomes global. It may be there before or after the first value: before it, tracers and instruments that were made early follow
// the relay, and after it, they are bound to that value for good.
type relay[P any] struct {
	mu  sync.Mutex
	via func(P) P
	set P
}

func (r *relay[P]) through(p P) P {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set = p
	if r.via != nil {
		return r.via(p)
	}
	return p
}

// by sets the relay, and returns what it makes of the last value: the zero value if none was set.
func (r *relay[P]) by(via func(P) P) P {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.via = via
	return via(r.set)
}

var (
	tracerProviders relay[trace.TracerProvider]
	meterProviders  relay[metric.MeterProvider]
	loggerProviders relay[log.LoggerProvider]
	propagators     relay[propagation.TextMapPropagator]
)

// RelayTracerProvider makes what via returns the global provider, now and whenever one is set. via gets nil if none was set yet.
func RelayTracerProvider(via func(trace.TracerProvider) trace.TracerProvider) {
	global.SetTracerProvider(tracerProviders.by(via))
}

// RelayMeterProvider is RelayTracerProvider for meters.
func RelayMeterProvider(via func(metric.MeterProvider) metric.MeterProvider) {
	global.SetMeterProvider(meterProviders.by(via))
}

// RelayLoggerProvider is RelayTracerProvider for loggers.
func RelayLoggerProvider(via func(log.LoggerProvider) log.LoggerProvider) {
	global.SetLoggerProvider(loggerProviders.by(via))
}

// RelayTextMapPropagator is RelayTracerProvider for propagators.
func RelayTextMapPropagator(via func(propagation.TextMapPropagator) propagation.TextMapPropagator) {
	global.SetTextMapPropagator(propagators.by(via))
}
