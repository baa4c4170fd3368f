package forward

import (
	api "go.opentelemetry.io/otel/metric"

	impl "otelobj.private/go.opentelemetry.io/otel/metric"
)

// The instruments are nil inside but for the observable: the interfaces have methods that only package metric can implement.
type (
	int64ObservableCounter struct {
		api.Int64ObservableCounter
		*observable
	}
	int64ObservableUpDownCounter struct {
		api.Int64ObservableUpDownCounter
		*observable
	}
	int64ObservableGauge struct {
		api.Int64ObservableGauge
		*observable
	}
	float64ObservableCounter struct {
		api.Float64ObservableCounter
		*observable
	}
	float64ObservableUpDownCounter struct {
		api.Float64ObservableUpDownCounter
		*observable
	}
	float64ObservableGauge struct {
		api.Float64ObservableGauge
		*observable
	}
)

// Int64ObservableCounter implements Meter.
func (m *meter) Int64ObservableCounter(name string, opts ...api.Int64ObservableCounterOption) (api.Int64ObservableCounter, error) {
	c := api.NewInt64ObservableCounterConfig(opts...)
	o, err := m.observable("Int64ObservableCounter", name, c, len(c.Callbacks()),
		func(m api.Meter, t *turn) (api.Observable, error) {
			return m.Int64ObservableCounter(name, sameInt64Options(opts, c, t)...)
		},
		func(m impl.Meter, t *turn) (impl.Observable, error) {
			return m.Int64ObservableCounter(name, crossInt64Options[impl.Int64ObservableCounterOption](c, t)...)
		})
	return int64ObservableCounter{observable: o}, err
}

// Int64ObservableUpDownCounter implements Meter.
func (m *meter) Int64ObservableUpDownCounter(name string, opts ...api.Int64ObservableUpDownCounterOption) (api.Int64ObservableUpDownCounter, error) {
	c := api.NewInt64ObservableUpDownCounterConfig(opts...)
	o, err := m.observable("Int64ObservableUpDownCounter", name, c, len(c.Callbacks()),
		func(m api.Meter, t *turn) (api.Observable, error) {
			return m.Int64ObservableUpDownCounter(name, sameInt64Options(opts, c, t)...)
		},
		func(m impl.Meter, t *turn) (impl.Observable, error) {
			return m.Int64ObservableUpDownCounter(name, crossInt64Options[impl.Int64ObservableUpDownCounterOption](c, t)...)
		})
	return int64ObservableUpDownCounter{observable: o}, err
}

// Int64ObservableGauge implements Meter.
func (m *meter) Int64ObservableGauge(name string, opts ...api.Int64ObservableGaugeOption) (api.Int64ObservableGauge, error) {
	c := api.NewInt64ObservableGaugeConfig(opts...)
	o, err := m.observable("Int64ObservableGauge", name, c, len(c.Callbacks()),
		func(m api.Meter, t *turn) (api.Observable, error) {
			return m.Int64ObservableGauge(name, sameInt64Options(opts, c, t)...)
		},
		func(m impl.Meter, t *turn) (impl.Observable, error) {
			return m.Int64ObservableGauge(name, crossInt64Options[impl.Int64ObservableGaugeOption](c, t)...)
		})
	return int64ObservableGauge{observable: o}, err
}

// Float64ObservableCounter implements Meter.
func (m *meter) Float64ObservableCounter(name string, opts ...api.Float64ObservableCounterOption) (api.Float64ObservableCounter, error) {
	c := api.NewFloat64ObservableCounterConfig(opts...)
	o, err := m.observable("Float64ObservableCounter", name, c, len(c.Callbacks()),
		func(m api.Meter, t *turn) (api.Observable, error) {
			return m.Float64ObservableCounter(name, sameFloat64Options(opts, c, t)...)
		},
		func(m impl.Meter, t *turn) (impl.Observable, error) {
			return m.Float64ObservableCounter(name, crossFloat64Options[impl.Float64ObservableCounterOption](c, t)...)
		})
	return float64ObservableCounter{observable: o}, err
}

// Float64ObservableUpDownCounter implements Meter.
func (m *meter) Float64ObservableUpDownCounter(name string, opts ...api.Float64ObservableUpDownCounterOption) (api.Float64ObservableUpDownCounter, error) {
	c := api.NewFloat64ObservableUpDownCounterConfig(opts...)
	o, err := m.observable("Float64ObservableUpDownCounter", name, c, len(c.Callbacks()),
		func(m api.Meter, t *turn) (api.Observable, error) {
			return m.Float64ObservableUpDownCounter(name, sameFloat64Options(opts, c, t)...)
		},
		func(m impl.Meter, t *turn) (impl.Observable, error) {
			return m.Float64ObservableUpDownCounter(name, crossFloat64Options[impl.Float64ObservableUpDownCounterOption](c, t)...)
		})
	return float64ObservableUpDownCounter{observable: o}, err
}

// Float64ObservableGauge implements Meter.
func (m *meter) Float64ObservableGauge(name string, opts ...api.Float64ObservableGaugeOption) (api.Float64ObservableGauge, error) {
	c := api.NewFloat64ObservableGaugeConfig(opts...)
	o, err := m.observable("Float64ObservableGauge", name, c, len(c.Callbacks()),
		func(m api.Meter, t *turn) (api.Observable, error) {
			return m.Float64ObservableGauge(name, sameFloat64Options(opts, c, t)...)
		},
		func(m impl.Meter, t *turn) (impl.Observable, error) {
			return m.Float64ObservableGauge(name, crossFloat64Options[impl.Float64ObservableGaugeOption](c, t)...)
		})
	return float64ObservableGauge{observable: o}, err
}
