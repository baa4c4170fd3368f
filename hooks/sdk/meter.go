package sdk

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// Synchronous instruments follow the global provider of the moment, as tracers do (delegate.go). Observable ones do not: those
// that the program made before it set its provider stay with ours.

type meterProvider struct {
	metric.MeterProvider
	bounds sync.Map // instrumentKey to *cardinality or *observed
}

func (p *meterProvider) Meter(name string, opts ...metric.MeterOption) metric.Meter {
	return &meter{Meter: p.MeterProvider.Meter(name, opts...), home: p, name: name, opts: opts}
}

type meter struct {
	metric.Meter
	home *meterProvider
	name string
	opts []metric.MeterOption
}

// follower is an instrument of ours, and the same one of the provider that the program has set since.
type follower[I any] struct {
	meter *meter
	own   I
	again func(metric.Meter) (I, error)
	last  atomic.Pointer[foreign[I]]

	series *cardinality
}

type foreign[I any] struct {
	provider   metric.MeterProvider
	instrument I
}

func follow[I any](m *meter, name string, again func(metric.Meter) (I, error)) (*follower[I], I, error) {
	own, err := again(m.Meter)
	series := boundsOf[I](m, name, func() *cardinality { return &cardinality{limit: seriesLimit()} })
	return &follower[I]{meter: m, own: own, again: again, series: series}, own, err
}

// current returns the instrument of the moment, and what bounds its series: those of a provider of the program's own are its own business.
func (f *follower[I]) current() (I, *cardinality) {
	now := otel.GetMeterProvider()
	if p, ok := now.(*meterProvider); ok && p == f.meter.home {
		return f.own, f.series
	}
	if last := f.last.Load(); last != nil && sameProvider(&last.provider, &now) {
		return last.instrument, nil
	}
	m := now.Meter(f.meter.name, f.meter.opts...)
	if own, ok := m.(*meter); ok && own.home == f.meter.home {
		return f.own, f.series // the program's provider hands out ours
	}
	instrument, err := f.again(m)
	if err != nil {
		otel.Handle(err)
		return f.own, f.series
	}
	f.last.Store(&foreign[I]{now, instrument})
	return instrument, nil
}

// addOptions and recordOptions are the options of a measurement, with attributes that fit.
func (c *cardinality) addOptions(o []metric.AddOption) []metric.AddOption {
	if c == nil || len(o) == 0 {
		return o
	}
	return []metric.AddOption{metric.WithAttributeSet(c.bound(metric.NewAddConfig(o).Attributes()))}
}

func (c *cardinality) recordOptions(o []metric.RecordOption) []metric.RecordOption {
	if c == nil || len(o) == 0 {
		return o
	}
	return []metric.RecordOption{metric.WithAttributeSet(c.bound(metric.NewRecordConfig(o).Attributes()))}
}

type int64Counter struct {
	metric.Int64Counter
	f *follower[metric.Int64Counter]
}

func (i int64Counter) Add(ctx context.Context, v int64, o ...metric.AddOption) {
	instrument, series := i.f.current()
	instrument.Add(ctx, v, series.addOptions(o)...)
}

func (m *meter) Int64Counter(name string, o ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	f, own, err := follow(m, name, func(m metric.Meter) (metric.Int64Counter, error) { return m.Int64Counter(name, o...) })
	return int64Counter{own, f}, err
}

type int64UpDownCounter struct {
	metric.Int64UpDownCounter
	f *follower[metric.Int64UpDownCounter]
}

func (i int64UpDownCounter) Add(ctx context.Context, v int64, o ...metric.AddOption) {
	instrument, series := i.f.current()
	instrument.Add(ctx, v, series.addOptions(o)...)
}

// Current returns the instrument that works at the moment: what was added to one is to be taken off the same.
func (i int64UpDownCounter) Current() metric.Int64UpDownCounter {
	instrument, series := i.f.current()
	return boundUpDownCounter{instrument, series}
}

type boundUpDownCounter struct {
	metric.Int64UpDownCounter
	series *cardinality
}

func (i boundUpDownCounter) Add(ctx context.Context, v int64, o ...metric.AddOption) {
	i.Int64UpDownCounter.Add(ctx, v, i.series.addOptions(o)...)
}

func (m *meter) Int64UpDownCounter(name string, o ...metric.Int64UpDownCounterOption) (metric.Int64UpDownCounter, error) {
	f, own, err := follow(m, name, func(m metric.Meter) (metric.Int64UpDownCounter, error) { return m.Int64UpDownCounter(name, o...) })
	return int64UpDownCounter{own, f}, err
}

type int64Histogram struct {
	metric.Int64Histogram
	f *follower[metric.Int64Histogram]
}

func (i int64Histogram) Record(ctx context.Context, v int64, o ...metric.RecordOption) {
	instrument, series := i.f.current()
	instrument.Record(ctx, v, series.recordOptions(o)...)
}

func (m *meter) Int64Histogram(name string, o ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	f, own, err := follow(m, name, func(m metric.Meter) (metric.Int64Histogram, error) { return m.Int64Histogram(name, o...) })
	return int64Histogram{own, f}, err
}

type float64Counter struct {
	metric.Float64Counter
	f *follower[metric.Float64Counter]
}

func (i float64Counter) Add(ctx context.Context, v float64, o ...metric.AddOption) {
	instrument, series := i.f.current()
	instrument.Add(ctx, v, series.addOptions(o)...)
}

func (m *meter) Float64Counter(name string, o ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	f, own, err := follow(m, name, func(m metric.Meter) (metric.Float64Counter, error) { return m.Float64Counter(name, o...) })
	return float64Counter{own, f}, err
}

type float64UpDownCounter struct {
	metric.Float64UpDownCounter
	f *follower[metric.Float64UpDownCounter]
}

func (i float64UpDownCounter) Add(ctx context.Context, v float64, o ...metric.AddOption) {
	instrument, series := i.f.current()
	instrument.Add(ctx, v, series.addOptions(o)...)
}

func (m *meter) Float64UpDownCounter(name string, o ...metric.Float64UpDownCounterOption) (metric.Float64UpDownCounter, error) {
	f, own, err := follow(m, name, func(m metric.Meter) (metric.Float64UpDownCounter, error) { return m.Float64UpDownCounter(name, o...) })
	return float64UpDownCounter{own, f}, err
}

type float64Histogram struct {
	metric.Float64Histogram
	f *follower[metric.Float64Histogram]
}

func (i float64Histogram) Record(ctx context.Context, v float64, o ...metric.RecordOption) {
	instrument, series := i.f.current()
	instrument.Record(ctx, v, series.recordOptions(o)...)
}

func (m *meter) Float64Histogram(name string, o ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	f, own, err := follow(m, name, func(m metric.Meter) (metric.Float64Histogram, error) { return m.Float64Histogram(name, o...) })
	return float64Histogram{own, f}, err
}

type int64Gauge struct {
	metric.Int64Gauge
	f *follower[metric.Int64Gauge]
}

func (i int64Gauge) Record(ctx context.Context, v int64, o ...metric.RecordOption) {
	instrument, series := i.f.current()
	instrument.Record(ctx, v, series.recordOptions(o)...)
}

func (m *meter) Int64Gauge(name string, o ...metric.Int64GaugeOption) (metric.Int64Gauge, error) {
	f, own, err := follow(m, name, func(m metric.Meter) (metric.Int64Gauge, error) { return m.Int64Gauge(name, o...) })
	return int64Gauge{own, f}, err
}

type float64Gauge struct {
	metric.Float64Gauge
	f *follower[metric.Float64Gauge]
}

func (i float64Gauge) Record(ctx context.Context, v float64, o ...metric.RecordOption) {
	instrument, series := i.f.current()
	instrument.Record(ctx, v, series.recordOptions(o)...)
}

func (m *meter) Float64Gauge(name string, o ...metric.Float64GaugeOption) (metric.Float64Gauge, error) {
	f, own, err := follow(m, name, func(m metric.Meter) (metric.Float64Gauge, error) { return m.Float64Gauge(name, o...) })
	return float64Gauge{own, f}, err
}
