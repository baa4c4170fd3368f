//go:build otelapi_gauge

package reverse

import (
	api "otelobj.private/go.opentelemetry.io/otel/metric"
	"otelobj.private/go.opentelemetry.io/otel/metric/embedded"

	impl "go.opentelemetry.io/otel/metric"
)

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
		func(m impl.Meter) (implRecorder[int64], error) {
			return m.Int64Gauge(name, options[impl.Int64GaugeOption](api.NewInt64GaugeConfig(opts...))...)
		})
	return int64Gauge{recorder: recorder[int64]{i}}, err
}

// Float64Gauge implements Meter.
func (m *meter) Float64Gauge(name string, opts ...api.Float64GaugeOption) (api.Float64Gauge, error) {
	i, err := create(m, func(m api.Meter) (apiRecorder[float64], error) { return m.Float64Gauge(name, opts...) },
		func(m impl.Meter) (implRecorder[float64], error) {
			return m.Float64Gauge(name, options[impl.Float64GaugeOption](api.NewFloat64GaugeConfig(opts...))...)
		})
	return float64Gauge{recorder: recorder[float64]{i}}, err
}
