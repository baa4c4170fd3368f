//go:build !otelobj_program

package sdk

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/metric"
)

// Observable instruments report all of their series at each collection, so what is bounded is what their callbacks observe at one: the sets that come
// first are kept, as the SDK's specification has it. Callbacks get an observer that bounds. For that the program has instruments of ours in its
// hands, which are the SDK's again where it registers a callback for them.

// observed knows what was observed of an instrument at this collection. It has begun when a callback runs that has run before.
type observed struct {
	cardinality
	rounds sync.Mutex
	ran    map[*callback]struct{}
}

// callback is a function of the program's, for the instruments that it was registered for.
type callback struct{ instruments []*observed }

func newObserved() *observed {
	return &observed{cardinality: cardinality{limit: seriesLimit()}, ran: map[*callback]struct{}{}}
}

// begin says that the callback is about to run.
func (c *callback) begin() {
	for _, o := range c.instruments {
		o.begin(c)
	}
}

func (o *observed) begin(c *callback) {
	o.rounds.Lock()
	defer o.rounds.Unlock()
	if _, again := o.ran[c]; again || len(o.ran) == 0 {
		clear(o.ran)
		o.forget()
	}
	o.ran[c] = struct{}{}
}

func (o *observed) end(c *callback) {
	o.rounds.Lock()
	defer o.rounds.Unlock()
	delete(o.ran, c)
}

// options are those of an observation, with attributes that fit.
func (o *observed) options(opts []metric.ObserveOption) []metric.ObserveOption {
	if o == nil || len(opts) == 0 {
		return opts
	}
	return fitting(&o.cardinality, opts, metric.NewObserveConfig(opts).Attributes())
}

// bounded is what the program's instruments have beside the SDK's.
type bounded struct {
	instrument metric.Observable // the SDK's
	*observed
}

// Unwrap is what older SDKs look for.
func (b bounded) Unwrap() metric.Observable { return b.instrument }

func (b bounded) bounds() *observed { return b.observed }

// unwrapped returns the SDK's instrument, and what bounds it: nil if it is none of ours. Older releases of the API hand their own instruments to
// callbacks, which wrap ours.
func unwrapped(instrument metric.Observable) (metric.Observable, *observed) {
	for range 8 {
		if b, ok := instrument.(interface {
			Unwrap() metric.Observable
			bounds() *observed
		}); ok {
			return b.Unwrap(), b.bounds()
		}
		w, ok := instrument.(interface{ Unwrap() metric.Observable })
		if !ok || w.Unwrap() == nil {
			break
		}
		instrument = w.Unwrap()
	}
	return instrument, nil
}

// RegisterCallback implements metric.Meter.
func (m *meter) RegisterCallback(f metric.Callback, instruments ...metric.Observable) (metric.Registration, error) {
	if f == nil {
		return m.Meter.RegisterCallback(f, instruments...)
	}
	c := &callback{}
	own := make([]metric.Observable, len(instruments))
	for i, instrument := range instruments {
		var o *observed
		if own[i], o = unwrapped(instrument); o != nil {
			c.instruments = append(c.instruments, o)
		}
	}
	r, err := m.Meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		c.begin()
		return f(ctx, observer{o})
	}, own...)
	if r == nil {
		return nil, err
	}
	return registration{r, c}, err
}

type registration struct {
	metric.Registration
	c *callback
}

// Unregister implements metric.Registration.
func (r registration) Unregister() error {
	err := r.Registration.Unregister()
	for _, o := range r.c.instruments {
		o.end(r.c)
	}
	return err
}

type observer struct{ metric.Observer }

// ObserveInt64 implements metric.Observer.
func (o observer) ObserveInt64(instrument metric.Int64Observable, v int64, opts ...metric.ObserveOption) {
	own, series := unwrapped(instrument)
	if i, ok := own.(metric.Int64Observable); ok {
		instrument = i
	}
	o.Observer.ObserveInt64(instrument, v, series.options(opts)...)
}

// ObserveFloat64 implements metric.Observer.
func (o observer) ObserveFloat64(instrument metric.Float64Observable, v float64, opts ...metric.ObserveOption) {
	own, series := unwrapped(instrument)
	if i, ok := own.(metric.Float64Observable); ok {
		instrument = i
	}
	o.Observer.ObserveFloat64(instrument, v, series.options(opts)...)
}

type int64Observer struct {
	metric.Int64Observer
	series *observed
}

// Observe implements metric.Int64Observer.
func (o int64Observer) Observe(v int64, opts ...metric.ObserveOption) {
	o.Int64Observer.Observe(v, o.series.options(opts)...)
}

type float64Observer struct {
	metric.Float64Observer
	series *observed
}

// Observe implements metric.Float64Observer.
func (o float64Observer) Observe(v float64, opts ...metric.ObserveOption) {
	o.Float64Observer.Observe(v, o.series.options(opts)...)
}

// The options that have a callback are replaced by ones whose callback is bounded; callbacks tells which those are.

func int64Options[O any](opts []O, callbacks func(O) []metric.Int64Callback, series *observed) []O {
	made := make([]O, 0, len(opts))
	for _, opt := range opts {
		with := callbacks(opt)
		if len(with) == 0 {
			made = append(made, opt)
		}
		for _, f := range with {
			c := &callback{[]*observed{series}}
			made = append(made, any(metric.WithInt64Callback(func(ctx context.Context, o metric.Int64Observer) error {
				c.begin()
				return f(ctx, int64Observer{o, series})
			})).(O))
		}
	}
	return made
}

func float64Options[O any](opts []O, callbacks func(O) []metric.Float64Callback, series *observed) []O {
	made := make([]O, 0, len(opts))
	for _, opt := range opts {
		with := callbacks(opt)
		if len(with) == 0 {
			made = append(made, opt)
		}
		for _, f := range with {
			c := &callback{[]*observed{series}}
			made = append(made, any(metric.WithFloat64Callback(func(ctx context.Context, o metric.Float64Observer) error {
				c.begin()
				return f(ctx, float64Observer{o, series})
			})).(O))
		}
	}
	return made
}

type int64ObservableCounter struct {
	metric.Int64ObservableCounter
	bounded
}

func (m *meter) Int64ObservableCounter(name string, o ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	series := boundsOf[metric.Int64ObservableCounter](m, name, newObserved)
	callbacks := func(o metric.Int64ObservableCounterOption) []metric.Int64Callback {
		c := metric.NewInt64ObservableCounterConfig(o)
		return c.Callbacks()
	}
	i, err := m.Meter.Int64ObservableCounter(name, int64Options(o, callbacks, series)...)
	if i == nil {
		return nil, err
	}
	return int64ObservableCounter{i, bounded{i, series}}, err
}

type int64ObservableUpDownCounter struct {
	metric.Int64ObservableUpDownCounter
	bounded
}

func (m *meter) Int64ObservableUpDownCounter(name string, o ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	series := boundsOf[metric.Int64ObservableUpDownCounter](m, name, newObserved)
	callbacks := func(o metric.Int64ObservableUpDownCounterOption) []metric.Int64Callback {
		c := metric.NewInt64ObservableUpDownCounterConfig(o)
		return c.Callbacks()
	}
	i, err := m.Meter.Int64ObservableUpDownCounter(name, int64Options(o, callbacks, series)...)
	if i == nil {
		return nil, err
	}
	return int64ObservableUpDownCounter{i, bounded{i, series}}, err
}

type int64ObservableGauge struct {
	metric.Int64ObservableGauge
	bounded
}

func (m *meter) Int64ObservableGauge(name string, o ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	series := boundsOf[metric.Int64ObservableGauge](m, name, newObserved)
	callbacks := func(o metric.Int64ObservableGaugeOption) []metric.Int64Callback {
		c := metric.NewInt64ObservableGaugeConfig(o)
		return c.Callbacks()
	}
	i, err := m.Meter.Int64ObservableGauge(name, int64Options(o, callbacks, series)...)
	if i == nil {
		return nil, err
	}
	return int64ObservableGauge{i, bounded{i, series}}, err
}

type float64ObservableCounter struct {
	metric.Float64ObservableCounter
	bounded
}

func (m *meter) Float64ObservableCounter(name string, o ...metric.Float64ObservableCounterOption) (metric.Float64ObservableCounter, error) {
	series := boundsOf[metric.Float64ObservableCounter](m, name, newObserved)
	callbacks := func(o metric.Float64ObservableCounterOption) []metric.Float64Callback {
		c := metric.NewFloat64ObservableCounterConfig(o)
		return c.Callbacks()
	}
	i, err := m.Meter.Float64ObservableCounter(name, float64Options(o, callbacks, series)...)
	if i == nil {
		return nil, err
	}
	return float64ObservableCounter{i, bounded{i, series}}, err
}

type float64ObservableUpDownCounter struct {
	metric.Float64ObservableUpDownCounter
	bounded
}

func (m *meter) Float64ObservableUpDownCounter(name string, o ...metric.Float64ObservableUpDownCounterOption) (metric.Float64ObservableUpDownCounter, error) {
	series := boundsOf[metric.Float64ObservableUpDownCounter](m, name, newObserved)
	callbacks := func(o metric.Float64ObservableUpDownCounterOption) []metric.Float64Callback {
		c := metric.NewFloat64ObservableUpDownCounterConfig(o)
		return c.Callbacks()
	}
	i, err := m.Meter.Float64ObservableUpDownCounter(name, float64Options(o, callbacks, series)...)
	if i == nil {
		return nil, err
	}
	return float64ObservableUpDownCounter{i, bounded{i, series}}, err
}

type float64ObservableGauge struct {
	metric.Float64ObservableGauge
	bounded
}

func (m *meter) Float64ObservableGauge(name string, o ...metric.Float64ObservableGaugeOption) (metric.Float64ObservableGauge, error) {
	series := boundsOf[metric.Float64ObservableGauge](m, name, newObserved)
	callbacks := func(o metric.Float64ObservableGaugeOption) []metric.Float64Callback {
		c := metric.NewFloat64ObservableGaugeConfig(o)
		return c.Callbacks()
	}
	i, err := m.Meter.Float64ObservableGauge(name, float64Options(o, callbacks, series)...)
	if i == nil {
		return nil, err
	}
	return float64ObservableGauge{i, bounded{i, series}}, err
}
