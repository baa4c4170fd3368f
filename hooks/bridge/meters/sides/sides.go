// Package sides knows who does the work of meters: the private API's provider, or the program's, once it has set one.
package sides

import (
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel/metric"

	private "otelobj.private/go.opentelemetry.io/otel/metric"
)

// scope is the name of the meter that shows what a provider does.
const scope = "github.com/otelobj/otelobj/hooks/bridge"

// State is immutable: two of the same address are equal.
type State struct {
	Ours          private.MeterProvider // nil: none yet
	First, Theirs metric.MeterProvider  // nil: the program has set none
}

// Providers is the state of the moment. What is made of it follows its changes: synchronous instruments ask for it with each measurement, and
// observable ones are told.
type Providers struct {
	now   atomic.Pointer[State]
	mu    sync.Mutex
	order []*Follower
	asked atomic.Int64
}

// Follower is called after each change.
type Follower struct{ Changed func() }

var none State

// Now returns the state.
func (p *Providers) Now() *State {
	if s := p.now.Load(); s != nil {
		return s
	}
	return &none
}

// SetOurs sets the provider that does the work where the program has set none.
func (p *Providers) SetOurs(mp private.MeterProvider) {
	p.change(func(s *State) { s.Ours = mp })
}

// SetTheirs says that the program has set a provider. nil: it has set ours again.
//
// Instruments that the program has made before stay with the first, as they do in the plain program. Those of the private API follow the last.
func (p *Providers) SetTheirs(mp metric.MeterProvider) {
	p.change(func(s *State) {
		if s.Theirs = mp; s.First == nil {
			s.First = mp
		}
	})
}

// SetWrapper says that the program has set a provider which hands out ours, as that of package spans does.
func (p *Providers) SetWrapper(mp metric.MeterProvider) {
	p.change(func(s *State) { s.Theirs = mp })
}

// Try returns a meter of the program's provider, and whether the provider has asked ours for it.
func (p *Providers) Try(mp metric.MeterProvider) (made metric.Meter, wraps bool) {
	before := p.asked.Load()
	made = mp.Meter(scope)
	return made, p.asked.Load() != before
}

// Asked says that ours was asked for a meter.
func (p *Providers) Asked(name string) {
	if name == scope {
		p.asked.Add(1)
	}
}

func (p *Providers) change(f func(*State)) {
	p.mu.Lock()
	next := *p.Now()
	f(&next)
	p.now.Store(&next)
	followers := append([]*Follower(nil), p.order...)
	p.mu.Unlock()
	for _, follower := range followers { // without the lock: they make instruments
		follower.Changed()
	}
}

// Follow has f called after each change from now on, until Forget.
func (p *Providers) Follow(f func()) *Follower {
	p.mu.Lock()
	defer p.mu.Unlock()
	follower := &Follower{f}
	p.order = append(p.order, follower)
	return follower
}

// Followers returns how many there are.
func (p *Providers) Followers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.order)
}

// Forget ends Follow.
func (p *Providers) Forget(follower *Follower) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.order {
		if other == follower {
			p.order = append(p.order[:i:i], p.order[i+1:]...)
			return
		}
	}
}

// Same reports whether two providers are one: the same value, or values that are equal where they can be compared.
func Same(a, b any) bool {
	if *(*[2]unsafe.Pointer)(unsafe.Pointer(&a)) == *(*[2]unsafe.Pointer)(unsafe.Pointer(&b)) {
		return true
	}
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
