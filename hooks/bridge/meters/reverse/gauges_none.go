//go:build !otelapi_gauge

package reverse

import (
	"context"
	"sync"

	api "otelobj.private/go.opentelemetry.io/otel/metric"
	"otelobj.private/go.opentelemetry.io/otel/metric/embedded"

	"go.opentelemetry.io/otel/attribute"
	impl "go.opentelemetry.io/otel/metric"
)

// The program's API has synchronous gauges from 1.27 on. Before that, an observable one shows what was recorded last for each set of attributes.

// lastValues is what an instrument of the program's shows.
type lastValues[N number] struct {
	mu     sync.Mutex
	values map[attribute.Distinct]lastValue[N]
}

type lastValue[N number] struct {
	option []impl.ObserveOption
	value  N
}

// Record keeps a value. Of sets that are too many nothing is kept, as an SDK does with synchronous instruments.
func (l *lastValues[N]) Record(_ context.Context, v N, opts ...impl.RecordOption) {
	config := impl.NewRecordConfig(opts)
	set := config.Attributes()
	key := set.Equivalent()
	l.mu.Lock()
	defer l.mu.Unlock()
	last, known := l.values[key]
	if !known {
		if len(l.values) >= maxSets {
			return
		}
		if l.values == nil {
			l.values = map[attribute.Distinct]lastValue[N]{}
		}
		last.option = []impl.ObserveOption{impl.WithAttributeSet(set)}
	}
	last.value = v
	l.values[key] = last
}

// observe calls f with each value.
func (l *lastValues[N]) observe(f func(N, ...impl.ObserveOption)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, last := range l.values {
		f(last.value, last.option...)
	}
}

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
			last := &lastValues[int64]{}
			shown, err := m.Int64ObservableGauge(name, options[impl.Int64ObservableGaugeOption](api.NewInt64GaugeConfig(opts...))...)
			if err == nil {
				_, err = m.RegisterCallback(func(_ context.Context, o impl.Observer) error {
					last.observe(func(v int64, opts ...impl.ObserveOption) { o.ObserveInt64(shown, v, opts...) })
					return nil
				}, shown)
			}
			return last, err
		})
	return int64Gauge{recorder: recorder[int64]{i}}, err
}

// Float64Gauge implements Meter.
func (m *meter) Float64Gauge(name string, opts ...api.Float64GaugeOption) (api.Float64Gauge, error) {
	i, err := create(m, func(m api.Meter) (apiRecorder[float64], error) { return m.Float64Gauge(name, opts...) },
		func(m impl.Meter) (implRecorder[float64], error) {
			last := &lastValues[float64]{}
			shown, err := m.Float64ObservableGauge(name, options[impl.Float64ObservableGaugeOption](api.NewFloat64GaugeConfig(opts...))...)
			if err == nil {
				_, err = m.RegisterCallback(func(_ context.Context, o impl.Observer) error {
					last.observe(func(v float64, opts ...impl.ObserveOption) { o.ObserveFloat64(shown, v, opts...) })
					return nil
				}, shown)
			}
			return last, err
		})
	return float64Gauge{recorder: recorder[float64]{i}}, err
}
