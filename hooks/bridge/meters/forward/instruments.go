package forward

import (
	"context"
	"sync"
	"sync/atomic"

	api "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/embedded"

	impl "otelobj.private/go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/bridge/meters/sides"
)

type number interface{ int64 | float64 }

// synchronous is an instrument whose measurements go to the side that does the work at the moment. A is what the instrument does, I what that of the other API does.
type synchronous[A, I any] struct {
	meter *meter
	same  func(api.Meter) (A, error)
	cross func(impl.Meter) (I, error)
	last  atomic.Pointer[made[A, I]]
	sets  setCache
}

// made is what works for an instrument in a state: same, or else cross.
type made[A, I any] struct {
	state  *sides.State
	isSame bool
	same   A
	cross  I
}

// create also makes the instrument of the moment, whose error is the caller's.
func create[A, I any](m *meter, same func(api.Meter) (A, error), cross func(impl.Meter) (I, error)) (*synchronous[A, I], error) {
	i := &synchronous[A, I]{meter: m, same: same, cross: cross}
	_, err := i.make()
	return i, err
}

func (i *synchronous[A, I]) make() (*made[A, I], error) {
	w := i.meter.works()
	m := &made[A, I]{state: w.state, isSame: w.same != nil}
	var err error
	if m.isSame {
		m.same, err = i.same(w.same)
	} else {
		m.cross, err = i.cross(w.cross)
	}
	i.last.Store(m)
	return m, err
}

func (i *synchronous[A, I]) now() *made[A, I] {
	if m := i.last.Load(); m != nil && m.state == i.meter.of.Now() {
		return m
	}
	m, _ := i.make() // an error was reported when the instrument was made
	return m
}

// Enabled is what instruments have from 1.40 on.
func (i *synchronous[A, I]) Enabled(ctx context.Context) bool {
	m := i.now()
	var who any = m.cross
	if m.isSame {
		who = m.same
	}
	e, ok := who.(interface{ Enabled(context.Context) bool })
	return !ok || e.Enabled(ctx)
}

type apiAdder[N number] interface {
	Add(ctx context.Context, v N, opts ...api.AddOption)
}

type implAdder[N number] interface {
	Add(ctx context.Context, v N, opts ...impl.AddOption)
}

type adder[N number] struct {
	*synchronous[apiAdder[N], implAdder[N]]
}

// Add implements counters.
func (a adder[N]) Add(ctx context.Context, v N, opts ...api.AddOption) {
	m := a.now()
	switch {
	case m.isSame:
		m.same.Add(ctx, v, opts...)
	case len(opts) == 0:
		m.cross.Add(ctx, v)
	default:
		config := api.NewAddConfig(opts)
		m.cross.Add(ctx, v, a.sets.of(config.Attributes()).add...)
	}
}

type apiRecorder[N number] interface {
	Record(ctx context.Context, v N, opts ...api.RecordOption)
}

type implRecorder[N number] interface {
	Record(ctx context.Context, v N, opts ...impl.RecordOption)
}

type recorder[N number] struct {
	*synchronous[apiRecorder[N], implRecorder[N]]
}

// Record implements histograms and gauges.
func (r recorder[N]) Record(ctx context.Context, v N, opts ...api.RecordOption) {
	m := r.now()
	switch {
	case m.isSame:
		m.same.Record(ctx, v, opts...)
	case len(opts) == 0:
		m.cross.Record(ctx, v)
	default:
		config := api.NewRecordConfig(opts)
		m.cross.Record(ctx, v, r.sets.of(config.Attributes()).record...)
	}
}

// setCache has the options that convey sets of attributes: most programs measure with the same few again and again. What does not fit any more is
// converted each time, since a program that has so many sets has new ones all the time.
type setCache struct {
	mu   sync.RWMutex
	sets map[distinct]*conveyed
}

const (
	maxSets    = 2000 // as many as the SDK keeps of an instrument by default
	maxSetSize = 4096 // bytes of keys and values
)

type conveyed struct {
	add     []impl.AddOption
	record  []impl.RecordOption
	observe []impl.ObserveOption
}

func (c *setCache) of(set attributeSet) *conveyed {
	key := set.Equivalent()
	c.mu.RLock()
	known := c.sets[key]
	c.mu.RUnlock()
	if known != nil {
		return known
	}
	option := impl.WithAttributeSet(convertSet(set))
	made := &conveyed{[]impl.AddOption{option}, []impl.RecordOption{option}, []impl.ObserveOption{option}}
	c.mu.RLock()
	full := len(c.sets) >= maxSets
	c.mu.RUnlock()
	if full || size(set) > maxSetSize {
		return made
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sets == nil {
		c.sets = map[distinct]*conveyed{}
	}
	if len(c.sets) < maxSets {
		c.sets[key] = made
	}
	return made
}

// size returns about how many bytes a set keeps in memory.
func size(set attributeSet) (bytes int) {
	for all := set.Iter(); all.Next(); {
		kv := all.Attribute()
		bytes += len(kv.Key) + len(kv.Value.Emit())
	}
	return bytes
}

// options are those of the other API that say what a config says.
func options[O any](config interface {
	Description() string
	Unit() string
}) []O {
	made := []O{any(impl.WithDescription(config.Description())).(O), any(impl.WithUnit(config.Unit())).(O)}
	if c, ok := config.(interface{ ExplicitBucketBoundaries() []float64 }); ok && c.ExplicitBucketBoundaries() != nil {
		if o, ok := withBoundaries(c.ExplicitBucketBoundaries()).(O); ok {
			made = append(made, o)
		}
	}
	return made
}

type (
	int64Counter struct {
		embedded.Int64Counter
		adder[int64]
	}
	int64UpDownCounter struct {
		embedded.Int64UpDownCounter
		adder[int64]
	}
	int64Histogram struct {
		embedded.Int64Histogram
		recorder[int64]
	}
	float64Counter struct {
		embedded.Float64Counter
		adder[float64]
	}
	float64UpDownCounter struct {
		embedded.Float64UpDownCounter
		adder[float64]
	}
	float64Histogram struct {
		embedded.Float64Histogram
		recorder[float64]
	}
)

// Int64Counter implements Meter.
func (m *meter) Int64Counter(name string, opts ...api.Int64CounterOption) (api.Int64Counter, error) {
	i, err := create(m, func(m api.Meter) (apiAdder[int64], error) { return m.Int64Counter(name, opts...) },
		func(m impl.Meter) (implAdder[int64], error) {
			return m.Int64Counter(name, options[impl.Int64CounterOption](api.NewInt64CounterConfig(opts...))...)
		})
	return int64Counter{adder: adder[int64]{i}}, err
}

// Int64UpDownCounter implements Meter.
func (m *meter) Int64UpDownCounter(name string, opts ...api.Int64UpDownCounterOption) (api.Int64UpDownCounter, error) {
	i, err := create(m, func(m api.Meter) (apiAdder[int64], error) { return m.Int64UpDownCounter(name, opts...) },
		func(m impl.Meter) (implAdder[int64], error) {
			return m.Int64UpDownCounter(name, options[impl.Int64UpDownCounterOption](api.NewInt64UpDownCounterConfig(opts...))...)
		})
	return int64UpDownCounter{adder: adder[int64]{i}}, err
}

// Int64Histogram implements Meter.
func (m *meter) Int64Histogram(name string, opts ...api.Int64HistogramOption) (api.Int64Histogram, error) {
	i, err := create(m, func(m api.Meter) (apiRecorder[int64], error) { return m.Int64Histogram(name, opts...) },
		func(m impl.Meter) (implRecorder[int64], error) {
			return m.Int64Histogram(name, options[impl.Int64HistogramOption](api.NewInt64HistogramConfig(opts...))...)
		})
	return int64Histogram{recorder: recorder[int64]{i}}, err
}

// Float64Counter implements Meter.
func (m *meter) Float64Counter(name string, opts ...api.Float64CounterOption) (api.Float64Counter, error) {
	i, err := create(m, func(m api.Meter) (apiAdder[float64], error) { return m.Float64Counter(name, opts...) },
		func(m impl.Meter) (implAdder[float64], error) {
			return m.Float64Counter(name, options[impl.Float64CounterOption](api.NewFloat64CounterConfig(opts...))...)
		})
	return float64Counter{adder: adder[float64]{i}}, err
}

// Float64UpDownCounter implements Meter.
func (m *meter) Float64UpDownCounter(name string, opts ...api.Float64UpDownCounterOption) (api.Float64UpDownCounter, error) {
	i, err := create(m, func(m api.Meter) (apiAdder[float64], error) { return m.Float64UpDownCounter(name, opts...) },
		func(m impl.Meter) (implAdder[float64], error) {
			return m.Float64UpDownCounter(name, options[impl.Float64UpDownCounterOption](api.NewFloat64UpDownCounterConfig(opts...))...)
		})
	return float64UpDownCounter{adder: adder[float64]{i}}, err
}

// Float64Histogram implements Meter.
func (m *meter) Float64Histogram(name string, opts ...api.Float64HistogramOption) (api.Float64Histogram, error) {
	i, err := create(m, func(m api.Meter) (apiRecorder[float64], error) { return m.Float64Histogram(name, opts...) },
		func(m impl.Meter) (implRecorder[float64], error) {
			return m.Float64Histogram(name, options[impl.Float64HistogramOption](api.NewFloat64HistogramConfig(opts...))...)
		})
	return float64Histogram{recorder: recorder[float64]{i}}, err
}
