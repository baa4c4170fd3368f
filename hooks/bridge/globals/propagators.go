package globals

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/propagation"

	private "otelobj.private/go.opentelemetry.io/otel/propagation"
)

// propagators knows whose propagator is in force, as spans.Providers does for tracers. The contexts of both sides are the same, and carriers have
// the same methods, so nothing is converted.
type propagators struct {
	mu  sync.Mutex
	now atomic.Pointer[propagatorSides]
}

type propagatorSides struct {
	ours          private.TextMapPropagator
	first, theirs propagation.TextMapPropagator
}

func (p *propagators) sides() propagatorSides {
	if s := p.now.Load(); s != nil {
		return *s
	}
	return propagatorSides{}
}

func (p *propagators) change(f func(*propagatorSides)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.sides()
	f(&next)
	p.now.Store(&next)
}

func (p *propagators) setOurs(t private.TextMapPropagator) {
	p.change(func(s *propagatorSides) { s.ours = t })
}

func (p *propagators) setTheirs(t propagation.TextMapPropagator) {
	p.change(func(s *propagatorSides) {
		if s.theirs = t; s.first == nil {
			s.first = t
		}
	})
}

func (p *propagators) hasOurs() bool { return p.sides().ours != nil }

func (p *propagators) hasTheirs() bool { return p.sides().theirs != nil }

// forwardPropagators is what the program is given.
type forwardPropagators struct{ *propagators }

// Inject implements propagation.TextMapPropagator.
func (p forwardPropagators) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	if s := p.sides(); s.first != nil {
		s.first.Inject(ctx, carrier)
	} else {
		s.ours.Inject(ctx, carrier)
	}
}

// Extract implements propagation.TextMapPropagator.
func (p forwardPropagators) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	if s := p.sides(); s.first != nil {
		return s.first.Extract(ctx, carrier)
	} else {
		return s.ours.Extract(ctx, carrier)
	}
}

// Fields implements propagation.TextMapPropagator.
func (p forwardPropagators) Fields() []string {
	if s := p.sides(); s.first != nil {
		return s.first.Fields()
	} else {
		return s.ours.Fields()
	}
}

// reversePropagator is what the private API is given.
type reversePropagator struct{ *propagators }

// Inject implements private.TextMapPropagator.
func (p reversePropagator) Inject(ctx context.Context, carrier private.TextMapCarrier) {
	if s := p.sides(); s.theirs != nil {
		s.theirs.Inject(ctx, carrier)
	} else if s.ours != nil {
		s.ours.Inject(ctx, carrier)
	}
}

// Extract implements private.TextMapPropagator.
func (p reversePropagator) Extract(ctx context.Context, carrier private.TextMapCarrier) context.Context {
	if s := p.sides(); s.theirs != nil {
		return s.theirs.Extract(ctx, carrier)
	} else if s.ours != nil {
		return s.ours.Extract(ctx, carrier)
	}
	return ctx
}

// Fields implements private.TextMapPropagator.
func (p reversePropagator) Fields() []string {
	if s := p.sides(); s.theirs != nil {
		return s.theirs.Fields()
	} else if s.ours != nil {
		return s.ours.Fields()
	}
	return nil
}
