package sdk

import (
	"errors"
	"reflect"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// A program that sets a no-op provider, which many do where tracing is off in their own configuration, switches off what hooks make, too: the
// global provider is the one that they use. That is the program's right, and a surprise to a user who has set variables and waits for spans.

const probeScope = "github.com/otelobj/otelobj/hooks/sdk"

var saidNoop sync.Map // by signal

// BeforeSetTracerProvider runs before go.opentelemetry.io/otel/internal/global.SetTracerProvider(tp).
func BeforeSetTracerProvider(_ HookContext, tp trace.TracerProvider) {
	if tp != nil && warnsOfNoop(tracesSignal) && isNoop(tp.Tracer(probeScope)) {
		sayNoop(tracesSignal, "the program has set a tracer provider that does nothing: there are no spans unless it sets another one")
	}
}

// BeforeSetMeterProvider runs before go.opentelemetry.io/otel/internal/global.SetMeterProvider(mp).
func BeforeSetMeterProvider(_ HookContext, mp metric.MeterProvider) {
	if mp != nil && warnsOfNoop(metricsSignal) && isNoop(mp.Meter(probeScope)) {
		sayNoop(metricsSignal, "the program has set a meter provider that does nothing: there are no metrics of instrumentations unless it sets another one")
	}
}

// warnsOfNoop reports whether anybody misses a signal: it would be exported, and a variable speaks of telemetry.
func warnsOfNoop(signal string) bool {
	for _, f := range flushers {
		if p, ok := f.(pipeline); ok && p.signal == signal {
			return asked() && says(levelWarn)
		}
	}
	return false
}

// isNoop reports whether a tracer or a meter is one of the API's that do nothing: in packages trace/noop and metric/noop and, in older
// versions, in package trace itself. Providers that wrap such a one hand out the same.
func isNoop(maker any) bool {
	t := reflect.TypeOf(maker)
	if t == nil {
		return false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	path, _ := strings.CutPrefix(packageOf(t), "go.opentelemetry.io/otel/")
	return path == "trace/noop" || path == "metric/noop" || path == "trace" && strings.HasPrefix(strings.ToLower(t.Name()), "noop")
}

func sayNoop(signal, text string) {
	if _, said := saidNoop.LoadOrStore(signal, true); !said {
		report(lower(signal), errors.New(text))
	}
}
