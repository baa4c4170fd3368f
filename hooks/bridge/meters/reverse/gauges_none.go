//go:build !otelapi_gauge

package reverse

import (
	"context"

	api "otelobj.private/go.opentelemetry.io/otel/metric"
	"otelobj.private/go.opentelemetry.io/otel/metric/embedded"

	impl "go.opentelemetry.io/otel/metric"
)

// The program's API has synchronous gauges from 1.27 on. Before that, what they would show goes nowhere once the program has set its provider.

type nowhere[N number] struct{}

func (nowhere[N]) Record(context.Context, N, ...impl.RecordOption) {}

func (nowhere[N]) Enabled(context.Context) bool { return false }

type (
	int64Gauge struct {
		embedded.Int64Gauge
		recorder[int64]
	}
	float64Gauge struct {
		embedded.Float64Gauge
		recorder[float64]
	}
)

// Int64Gauge implements Meter.
func (m *meter) Int64Gauge(name string, opts ...api.Int64GaugeOption) (api.Int64Gauge, error) {
	i, err := create(m, func(m api.Meter) (apiRecorder[int64], error) { return m.Int64Gauge(name, opts...) },
		func(impl.Meter) (implRecorder[int64], error) { return nowhere[int64]{}, nil })
	return int64Gauge{recorder: recorder[int64]{i}}, err
}

// Float64Gauge implements Meter.
func (m *meter) Float64Gauge(name string, opts ...api.Float64GaugeOption) (api.Float64Gauge, error) {
	i, err := create(m, func(m api.Meter) (apiRecorder[float64], error) { return m.Float64Gauge(name, opts...) },
		func(impl.Meter) (implRecorder[float64], error) { return nowhere[float64]{}, nil })
	return float64Gauge{recorder: recorder[float64]{i}}, err
}
