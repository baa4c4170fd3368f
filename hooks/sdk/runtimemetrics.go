//go:build !otelobj_program

package sdk

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/metric"
)

// Metrics of the Go runtime come from OpenTelemetry's own package. A program that starts it, too, has instruments of the same identity in the same
// provider, and what both observe of one would be added up. So ours observe nothing once the program has started its own.

var measuresItself atomic.Bool

// BeforeRuntimeStart runs before go.opentelemetry.io/contrib/instrumentation/runtime.Start(opts...).
func BeforeRuntimeStart(HookContext, interface{}) { measuresItself.Store(true) }

func startRuntimeMetrics(mp metric.MeterProvider) error {
	return runtime.Start(runtime.WithMeterProvider(yieldingProvider{mp}))
}

type yieldingProvider struct{ metric.MeterProvider }

// Meter implements metric.MeterProvider.
func (p yieldingProvider) Meter(name string, opts ...metric.MeterOption) metric.Meter {
	return yieldingMeter{p.MeterProvider.Meter(name, opts...)}
}

type yieldingMeter struct{ metric.Meter }

// RegisterCallback implements metric.Meter.
func (m yieldingMeter) RegisterCallback(f metric.Callback, instruments ...metric.Observable) (metric.Registration, error) {
	return m.Meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		if measuresItself.Load() {
			return nil
		}
		return f(ctx, o)
	}, instruments...)
}
