package reverse

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"weak"

	api "otelobj.private/go.opentelemetry.io/otel/metric"
	"otelobj.private/go.opentelemetry.io/otel/metric/embedded"

	impl "go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/bridge/meters/sides"
)

// observable is an instrument whose callbacks are called by the side that does the work. When that changes, it is made there too, and its callbacks say
// nothing to the one before. It is made once for each provider: SDKs from 1.24 on know instruments by what they are called, and do not take the callbacks
// of one that they have.
type observable struct {
	meter     *meter
	makeSame  func(api.Meter, *turn) (api.Observable, error)
	makeCross func(impl.Meter, *turn) (impl.Observable, error)

	mu   sync.Mutex // held while the instrument is made; a callback does not need it, since SDKs hold locks of theirs then
	past []*turn    // the last ones, all of other providers
	turn atomic.Pointer[turn]
	sets setCache
}

// maxPast bounds for how many providers an instrument is remembered: a program that sets one after the other does not come back to the first.
const maxPast = 16

// turn is when a provider does the work, and the instrument that works then: same, or else cross.
type turn struct {
	of    *observable
	by    any
	over  atomic.Bool
	same  api.Observable
	cross impl.Observable
}

// observed has the instruments with callbacks of their own that follow changes, whether or not somebody holds them.
type observed struct {
	mu  sync.Mutex
	ids map[identity]int
}

// maxSame bounds how many of the same name follow changes for good. SDKs from 1.24 on call the callbacks of the first alone.
const maxSame = 16

// identity is by what an SDK knows an instrument.
type identity struct {
	meter, version, schema        string
	attributes                    distinct
	kind, name, description, unit string
}

// isOneOfFew reports whether there were not yet too many of an identity, and counts it.
func (o *observed) isOneOfFew(id identity) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids[id] >= maxSame {
		return false
	}
	if o.ids == nil {
		o.ids = map[identity]int{}
	}
	o.ids[id]++
	return true
}

// about is what the config of an observable says.
type about interface {
	Description() string
	Unit() string
}

func (m *meter) identity(kind, name string, config about) identity {
	c := api.NewMeterConfig(m.opts...)
	set := c.InstrumentationAttributes()
	return identity{m.name, c.InstrumentationVersion(), c.SchemaURL(), set.Equivalent(), kind, strings.ToLower(name), config.Description(), config.Unit()}
}

// observable makes an instrument. Programs make the same one again and again. With callbacks of its own, the first few follow changes for good. Any other is of
// use only to who holds it, for callbacks that are registered with it, so it follows changes for as long as somebody does.
func (m *meter) observable(
	kind, name string, config about, callbacks int, same func(api.Meter, *turn) (api.Observable, error), cross func(impl.Meter, *turn) (impl.Observable, error),
) (*observable, error) {
	o := &observable{meter: m, makeSame: same, makeCross: cross}
	if callbacks > 0 && m.followed.isOneOfFew(m.identity(kind, name, config)) {
		m.of.Follow(func() { _ = o.renew() })
		return o, o.renew()
	}
	held := weak.Make(o)
	follower := m.of.Follow(func() {
		if o := held.Value(); o != nil {
			_ = o.renew()
		}
	})
	runtime.AddCleanup(o, m.of.Forget, follower)
	return o, o.renew()
}

// renew makes the instrument where the work is done now, unless it is there.
func (o *observable) renew() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	w := o.meter.works()
	if last := o.turn.Load(); last != nil {
		if sides.Same(last.by, w.by) {
			return nil
		}
		last.over.Store(true)
		if len(o.past) == maxPast {
			o.past = slices.Delete(o.past, 0, 1)
		}
		o.past = append(o.past, last)
	}
	if i := slices.IndexFunc(o.past, func(t *turn) bool { return sides.Same(t.by, w.by) }); i >= 0 {
		again := o.past[i]
		o.past = slices.Delete(o.past, i, i+1)
		again.over.Store(false)
		o.turn.Store(again)
		return nil
	}
	t := &turn{of: o, by: w.by}
	var err error
	if w.same != nil {
		t.same, err = o.makeSame(w.same, t)
	} else {
		t.cross, err = o.makeCross(w.cross, t)
	}
	o.turn.Store(t)
	return err
}

// bridged is how an observable is found in the program's hands.
func (o *observable) bridged() *observable { return o }

// find returns the instrument that a value stands for. Up to 1.31 callbacks have the instruments of the API itself in their hands, which wrap ours.
func find(instrument any) *observable {
	for range 8 {
		if b, ok := instrument.(interface{ bridged() *observable }); ok {
			return b.bridged()
		}
		w, ok := instrument.(interface{ Unwrap() api.Observable })
		if !ok {
			return nil
		}
		instrument = w.Unwrap()
	}
	return nil
}

// Callbacks that belong to one instrument.

type implInt64Observer interface {
	Observe(v int64, opts ...impl.ObserveOption)
}

type implFloat64Observer interface {
	Observe(v float64, opts ...impl.ObserveOption)
}

type int64Observer struct {
	embedded.Int64Observer
	to   implInt64Observer
	sets *setCache
}

// Observe implements Int64Observer.
func (o int64Observer) Observe(v int64, opts ...api.ObserveOption) {
	o.to.Observe(v, o.sets.observeOptions(opts)...)
}

type float64Observer struct {
	embedded.Float64Observer
	to   implFloat64Observer
	sets *setCache
}

// Observe implements Float64Observer.
func (o float64Observer) Observe(v float64, opts ...api.ObserveOption) {
	o.to.Observe(v, o.sets.observeOptions(opts)...)
}

func (c *setCache) observeOptions(opts []api.ObserveOption) []impl.ObserveOption {
	if len(opts) == 0 {
		return nil
	}
	config := api.NewObserveConfig(opts)
	return c.of(config.Attributes()).observe
}

func (t *turn) sameInt64(f api.Int64Callback) api.Int64Callback {
	return func(ctx context.Context, o api.Int64Observer) error {
		if t.over.Load() {
			return nil
		}
		return f(ctx, o)
	}
}

func (t *turn) sameFloat64(f api.Float64Callback) api.Float64Callback {
	return func(ctx context.Context, o api.Float64Observer) error {
		if t.over.Load() {
			return nil
		}
		return f(ctx, o)
	}
}

func (t *turn) crossInt64(f api.Int64Callback) impl.Int64Callback {
	return func(ctx context.Context, o impl.Int64Observer) error {
		if t.over.Load() {
			return nil
		}
		return f(ctx, int64Observer{to: o, sets: &t.of.sets})
	}
}

func (t *turn) crossFloat64(f api.Float64Callback) impl.Float64Callback {
	return func(ctx context.Context, o impl.Float64Observer) error {
		if t.over.Load() {
			return nil
		}
		return f(ctx, float64Observer{to: o, sets: &t.of.sets})
	}
}

// sameInt64Options are the options that the instrument was made with, and its callbacks heed their turn. Those of float64 have a function of their own.
func sameInt64Options[O any](opts []O, config interface {
	Description() string
	Unit() string
	Callbacks() []api.Int64Callback
}, t *turn) []O {
	if len(config.Callbacks()) == 0 {
		return opts
	}
	made := []O{any(api.WithDescription(config.Description())).(O), any(api.WithUnit(config.Unit())).(O)}
	for _, f := range config.Callbacks() {
		made = append(made, any(api.WithInt64Callback(t.sameInt64(f))).(O))
	}
	return made
}

func sameFloat64Options[O any](opts []O, config interface {
	Description() string
	Unit() string
	Callbacks() []api.Float64Callback
}, t *turn) []O {
	if len(config.Callbacks()) == 0 {
		return opts
	}
	made := []O{any(api.WithDescription(config.Description())).(O), any(api.WithUnit(config.Unit())).(O)}
	for _, f := range config.Callbacks() {
		made = append(made, any(api.WithFloat64Callback(t.sameFloat64(f))).(O))
	}
	return made
}

func crossInt64Options[O any](config interface {
	Description() string
	Unit() string
	Callbacks() []api.Int64Callback
}, t *turn) []O {
	made := options[O](config)
	for _, f := range config.Callbacks() {
		made = append(made, any(impl.WithInt64Callback(t.crossInt64(f))).(O))
	}
	return made
}

func crossFloat64Options[O any](config interface {
	Description() string
	Unit() string
	Callbacks() []api.Float64Callback
}, t *turn) []O {
	made := options[O](config)
	for _, f := range config.Callbacks() {
		made = append(made, any(impl.WithFloat64Callback(t.crossFloat64(f))).(O))
	}
	return made
}

// Callbacks that belong to several instruments.

type registration struct {
	embedded.Registration
	meter       *meter
	f           api.Callback
	instruments []*observable
	follower    *sides.Follower

	mu    sync.Mutex
	ended bool
	by    any // the provider that the callback is registered with
	undo  func() error
}

var errForeign = errors.New("otelobj: an observable instrument is not of this meter provider")

// RegisterCallback implements Meter.
func (m *meter) RegisterCallback(f api.Callback, instruments ...api.Observable) (api.Registration, error) {
	r := &registration{meter: m, f: f}
	for _, instrument := range instruments {
		o := find(instrument)
		if o == nil {
			return nil, errForeign
		}
		r.instruments = append(r.instruments, o)
	}
	err := r.renew()
	r.follower = m.of.Follow(func() { _ = r.renew() })
	if again := r.renew(); err == nil { // there may have been a change before Follow
		err = again
	}
	return r, err // both: where an SDK does not take some instruments, the callback is registered for the others
}

// renew registers the callback where the work is done now, unless it is there.
func (r *registration) renew() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.meter.works()
	if r.ended || r.by != nil && sides.Same(r.by, w.by) {
		return nil
	}
	if r.undo != nil {
		_ = r.undo()
	}
	r.by, r.undo = w.by, nil
	var same []api.Observable
	var cross []impl.Observable
	for _, o := range r.instruments {
		_ = o.renew() // an error was reported when the instrument was made
		if t := o.turn.Load(); t.same != nil {
			same = append(same, t.same)
		} else if t.cross != nil {
			cross = append(cross, t.cross)
		}
	}
	if w.same != nil {
		made, err := w.same.RegisterCallback(func(ctx context.Context, o api.Observer) error { return r.f(ctx, sameObserver{Observer: o}) }, same...)
		if made != nil {
			r.undo = made.Unregister
		}
		return err
	}
	made, err := w.cross.RegisterCallback(func(ctx context.Context, o impl.Observer) error { return r.f(ctx, crossObserver{to: o}) }, cross...)
	if made != nil {
		r.undo = made.Unregister
	}
	return err
}

// Unregister implements Registration.
func (r *registration) Unregister() error {
	r.meter.of.Forget(r.follower)
	r.mu.Lock()
	defer r.mu.Unlock()
	undo := r.undo
	r.ended, r.undo = true, nil
	if undo == nil {
		return nil
	}
	return undo()
}

// sameObserver is handed to callbacks in place of an observer of the same API, which knows its own instruments alone.
type sameObserver struct{ api.Observer }

// ObserveInt64 implements Observer.
func (s sameObserver) ObserveInt64(instrument api.Int64Observable, v int64, opts ...api.ObserveOption) {
	if o := find(instrument); o != nil {
		if i, ok := o.turn.Load().same.(api.Int64Observable); ok {
			instrument = i
		}
	}
	s.Observer.ObserveInt64(instrument, v, opts...)
}

// ObserveFloat64 implements Observer.
func (s sameObserver) ObserveFloat64(instrument api.Float64Observable, v float64, opts ...api.ObserveOption) {
	if o := find(instrument); o != nil {
		if i, ok := o.turn.Load().same.(api.Float64Observable); ok {
			instrument = i
		}
	}
	s.Observer.ObserveFloat64(instrument, v, opts...)
}

type crossObserver struct {
	embedded.Observer
	to impl.Observer
}

// ObserveInt64 implements Observer.
func (c crossObserver) ObserveInt64(instrument api.Int64Observable, v int64, opts ...api.ObserveOption) {
	if o := find(instrument); o != nil {
		if i, ok := o.turn.Load().cross.(impl.Int64Observable); ok {
			c.to.ObserveInt64(i, v, o.sets.observeOptions(opts)...)
		}
	}
}

// ObserveFloat64 implements Observer.
func (c crossObserver) ObserveFloat64(instrument api.Float64Observable, v float64, opts ...api.ObserveOption) {
	if o := find(instrument); o != nil {
		if i, ok := o.turn.Load().cross.(impl.Float64Observable); ok {
			c.to.ObserveFloat64(i, v, o.sets.observeOptions(opts)...)
		}
	}
}
