// Package sides knows who does the work: the private API's provider, or the program's, once it has set one. Tracers, meters, loggers and the
// propagator ask it with each call, since both providers can come after them.
package sides

import (
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Scope is the name of the tracer, meter or logger that shows what a provider does.
const Scope = "github.com/otelobj/otelobj/hooks/bridge"

// State is immutable: two of the same address are equal. O and T are interfaces: what the private API and what the program's API call a provider.
type State[O, T any] struct {
	Ours          O // nil: none yet
	First, Theirs T // nil: the program has set none
}

// Providers is the state of the moment. The zero value is one in which nothing is set: a program's init functions may run before those of the bridge.
type Providers[O, T any] struct {
	now   atomic.Pointer[State[O, T]]
	none  State[O, T]
	mu    sync.Mutex
	order []*Follower
	asked atomic.Int64 // how often ours was asked for what Try asks for
}

// Follower is called after each change.
type Follower struct{ Changed func() }

// Now returns the state.
func (p *Providers[O, T]) Now() *State[O, T] {
	if s := p.now.Load(); s != nil {
		return s
	}
	return &p.none
}

// Begin sets the state before anybody else knows of it.
func (p *Providers[O, T]) Begin(s State[O, T]) { p.now.Store(&s) }

// SetOurs sets the provider that does the work where the program has set none.
func (p *Providers[O, T]) SetOurs(ours O) {
	p.change(func(s *State[O, T]) { s.Ours = ours })
}

// SetTheirs says that the program has set a provider. nil: it has set ours again.
//
// What the program has made before stays with the first, as it does in the plain program. What is made through the private API follows the last.
func (p *Providers[O, T]) SetTheirs(theirs T) {
	p.change(func(s *State[O, T]) {
		if s.Theirs = theirs; any(s.First) == nil {
			s.First = theirs
		}
	})
}

// SetWrapper says that the program has set a provider which hands out ours: it was given ours after a provider that does nothing was not set. What the
// program has made before stays with ours, or they would call each other without end.
func (p *Providers[O, T]) SetWrapper(theirs T) {
	p.change(func(s *State[O, T]) { s.Theirs = theirs })
}

// DropTheirs says that what the program has set before there was ours is not used.
func (p *Providers[O, T]) DropTheirs() {
	p.change(func(s *State[O, T]) {
		var none T
		s.First, s.Theirs = none, none
	})
}

// HasOurs reports whether SetOurs was called.
func (p *Providers[O, T]) HasOurs() bool { return any(p.Now().Ours) != nil }

// HasTheirs reports whether a provider of the program's is in force.
func (p *Providers[O, T]) HasTheirs() bool { return any(p.Now().Theirs) != nil }

// Wraps reports whether a provider of the program's has asked ours for something named Scope while make did so.
func (p *Providers[O, T]) Wraps(make func()) bool {
	before := p.asked.Load()
	make()
	return p.asked.Load() != before
}

// Asked says that ours was asked for something of a name.
func (p *Providers[O, T]) Asked(name string) {
	if name == Scope {
		p.asked.Add(1)
	}
}

func (p *Providers[O, T]) change(f func(*State[O, T])) {
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
func (p *Providers[O, T]) Follow(f func()) *Follower {
	p.mu.Lock()
	defer p.mu.Unlock()
	follower := &Follower{f}
	p.order = append(p.order, follower)
	return follower
}

// Followers returns how many there are.
func (p *Providers[O, T]) Followers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.order)
}

// Forget ends Follow.
func (p *Providers[O, T]) Forget(follower *Follower) {
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
