package spans

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel/trace"

	private "otelobj.private/go.opentelemetry.io/otel/trace"
)

// scope is the name of the tracer that shows what a provider does.
const scope = "github.com/otelobj/otelobj/hooks/bridge"

// Providers knows who does the work: the private API's provider, and the program's, once it has set one. Tracers of both APIs ask it with each
// span, since both providers can come after them.
type Providers struct {
	mu  sync.Mutex
	now atomic.Pointer[sides]

	asked atomic.Int64 // how often Forward's provider was asked for the tracer that Try asks for
}

// sides is immutable.
type sides struct {
	ours          private.TracerProvider // nil: none yet
	first, theirs trace.TracerProvider   // nil: the program has set none
}

// SetOurs sets the provider that does the work where the program has set none.
func (p *Providers) SetOurs(tp private.TracerProvider) {
	p.change(func(s *sides) { s.ours = tp })
}

// SetTheirs says that the program has set a provider. nil: it has set ours again.
//
// Tracers that the program has made before stay with the first, as they do in the plain program. Tracers of the private API follow the last.
func (p *Providers) SetTheirs(tp trace.TracerProvider) {
	p.change(func(s *sides) {
		if s.theirs = tp; s.first == nil {
			s.first = tp
		}
	})
}

// SetWrapper says that the program has set a provider which hands out ours: it was given ours after a provider that does nothing was not set. Tracers of
// the program's stay with ours, or they would call each other without end.
func (p *Providers) SetWrapper(tp trace.TracerProvider) {
	p.change(func(s *sides) { s.theirs = tp })
}

// Try returns a tracer of the program's provider, and whether the provider has asked ours for it.
func (p *Providers) Try(tp trace.TracerProvider) (made trace.Tracer, wraps bool) {
	before := p.asked.Load()
	made = tp.Tracer(scope)
	return made, p.asked.Load() != before
}

// HasOurs reports whether SetOurs was called.
func (p *Providers) HasOurs() bool { return p.sides().ours != nil }

// HasTheirs reports whether a provider of the program's is in force.
func (p *Providers) HasTheirs() bool { return p.sides().theirs != nil }

func (p *Providers) change(f func(*sides)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := *p.sides()
	f(&next)
	p.now.Store(&next)
}

var none sides

func (p *Providers) sides() *sides {
	if s := p.now.Load(); s != nil {
		return s
	}
	return &none
}

// Forward returns the provider that the program is given.
func (p *Providers) Forward() trace.TracerProvider { return &forwardProvider{providers: p} }

// Reverse returns the provider that the private API is given.
func (p *Providers) Reverse() private.TracerProvider { return &reverseProvider{providers: p} }

// IsForward reports whether a provider is one that Forward has returned.
func IsForward(tp trace.TracerProvider) bool {
	_, ok := tp.(*forwardProvider)
	return ok
}

// IsReverse reports whether a provider is one that Reverse has returned.
func IsReverse(tp private.TracerProvider) bool {
	_, ok := tp.(*reverseProvider)
	return ok
}

// fixed returns a Providers of which nothing changes.
func fixed(ours private.TracerProvider, theirs trace.TracerProvider) *Providers {
	p := &Providers{}
	p.now.Store(&sides{ours: ours, first: theirs, theirs: theirs})
	return p
}

// identical compares interfaces by their words: == panics where the dynamic type cannot be compared.
func identical(a, b *private.Span) bool {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(a)) == *(*[2]unsafe.Pointer)(unsafe.Pointer(b))
}
