//go:build !otelobj_program

package sdk

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/metric"
)

// The instruments of our meter provider bound how many series they make, see cardinality.go. For the rest they are the SDK's.

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

// boundedOf makes an instrument, and what bounds its series.
func boundedOf[I any](m *meter, name string, create func(metric.Meter) (I, error)) (I, *cardinality, error) {
	own, err := create(m.Meter)
	return own, boundsOf[I](m, name, func() *cardinality { return &cardinality{limit: seriesLimit()} }), err
}

// addOptions and recordOptions are the options of a measurement, with attributes that fit.
func (c *cardinality) addOptions(o []metric.AddOption) []metric.AddOption {
	if c == nil || len(o) == 0 {
		return o
	}
	return fitting(c, o, metric.NewAddConfig(o).Attributes())
}

func (c *cardinality) recordOptions(o []metric.RecordOption) []metric.RecordOption {
	if c == nil || len(o) == 0 {
		return o
	}
	return fitting(c, o, metric.NewRecordConfig(o).Attributes())
}

type int64Counter struct {
	metric.Int64Counter
	series *cardinality
}

func (i int64Counter) Add(ctx context.Context, v int64, o ...metric.AddOption) {
	i.Int64Counter.Add(ctx, v, i.series.addOptions(o)...)
}

func (m *meter) Int64Counter(name string, o ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	own, series, err := boundedOf(m, name, func(m metric.Meter) (metric.Int64Counter, error) { return m.Int64Counter(name, o...) })
	return int64Counter{own, series}, err
}

type int64UpDownCounter struct {
	metric.Int64UpDownCounter
	series *cardinality
}

func (i int64UpDownCounter) Add(ctx context.Context, v int64, o ...metric.AddOption) {
	i.Int64UpDownCounter.Add(ctx, v, i.series.addOptions(o)...)
}

func (m *meter) Int64UpDownCounter(name string, o ...metric.Int64UpDownCounterOption) (metric.Int64UpDownCounter, error) {
	own, series, err := boundedOf(m, name, func(m metric.Meter) (metric.Int64UpDownCounter, error) { return m.Int64UpDownCounter(name, o...) })
	return int64UpDownCounter{own, series}, err
}

type int64Histogram struct {
	metric.Int64Histogram
	series *cardinality
}

func (i int64Histogram) Record(ctx context.Context, v int64, o ...metric.RecordOption) {
	i.Int64Histogram.Record(ctx, v, i.series.recordOptions(o)...)
}

func (m *meter) Int64Histogram(name string, o ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	own, series, err := boundedOf(m, name, func(m metric.Meter) (metric.Int64Histogram, error) { return m.Int64Histogram(name, o...) })
	return int64Histogram{own, series}, err
}

type float64Counter struct {
	metric.Float64Counter
	series *cardinality
}

func (i float64Counter) Add(ctx context.Context, v float64, o ...metric.AddOption) {
	i.Float64Counter.Add(ctx, v, i.series.addOptions(o)...)
}

func (m *meter) Float64Counter(name string, o ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	own, series, err := boundedOf(m, name, func(m metric.Meter) (metric.Float64Counter, error) { return m.Float64Counter(name, o...) })
	return float64Counter{own, series}, err
}

type float64UpDownCounter struct {
	metric.Float64UpDownCounter
	series *cardinality
}

func (i float64UpDownCounter) Add(ctx context.Context, v float64, o ...metric.AddOption) {
	i.Float64UpDownCounter.Add(ctx, v, i.series.addOptions(o)...)
}

func (m *meter) Float64UpDownCounter(name string, o ...metric.Float64UpDownCounterOption) (metric.Float64UpDownCounter, error) {
	own, series, err := boundedOf(m, name, func(m metric.Meter) (metric.Float64UpDownCounter, error) { return m.Float64UpDownCounter(name, o...) })
	return float64UpDownCounter{own, series}, err
}

type float64Histogram struct {
	metric.Float64Histogram
	series *cardinality
}

func (i float64Histogram) Record(ctx context.Context, v float64, o ...metric.RecordOption) {
	i.Float64Histogram.Record(ctx, v, i.series.recordOptions(o)...)
}

func (m *meter) Float64Histogram(name string, o ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	own, series, err := boundedOf(m, name, func(m metric.Meter) (metric.Float64Histogram, error) { return m.Float64Histogram(name, o...) })
	return float64Histogram{own, series}, err
}

type int64Gauge struct {
	metric.Int64Gauge
	series *cardinality
}

func (i int64Gauge) Record(ctx context.Context, v int64, o ...metric.RecordOption) {
	i.Int64Gauge.Record(ctx, v, i.series.recordOptions(o)...)
}

func (m *meter) Int64Gauge(name string, o ...metric.Int64GaugeOption) (metric.Int64Gauge, error) {
	own, series, err := boundedOf(m, name, func(m metric.Meter) (metric.Int64Gauge, error) { return m.Int64Gauge(name, o...) })
	return int64Gauge{own, series}, err
}

type float64Gauge struct {
	metric.Float64Gauge
	series *cardinality
}

func (i float64Gauge) Record(ctx context.Context, v float64, o ...metric.RecordOption) {
	i.Float64Gauge.Record(ctx, v, i.series.recordOptions(o)...)
}

func (m *meter) Float64Gauge(name string, o ...metric.Float64GaugeOption) (metric.Float64Gauge, error) {
	own, series, err := boundedOf(m, name, func(m metric.Meter) (metric.Float64Gauge, error) { return m.Float64Gauge(name, o...) })
	return float64Gauge{own, series}, err
}
