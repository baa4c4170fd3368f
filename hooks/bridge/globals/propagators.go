package globals

import (
	"context"

	"go.opentelemetry.io/otel/propagation"

	private "otelobj.private/go.opentelemetry.io/otel/propagation"

	"github.com/otelobj/otelobj/hooks/bridge/sides"
)

// propagators knows whose propagator is in force. The contexts of both sides are the same, and carriers have the same methods, so nothing is converted.
type propagators = sides.Providers[private.TextMapPropagator, propagation.TextMapPropagator]

// forwardPropagators is what the program is given.
type forwardPropagators struct{ *propagators }

// Inject implements propagation.TextMapPropagator.
func (p forwardPropagators) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	if s := p.Now(); s.First != nil {
		s.First.Inject(ctx, carrier)
	} else {
		s.Ours.Inject(ctx, carrier)
	}
}

// Extract implements propagation.TextMapPropagator.
func (p forwardPropagators) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	if s := p.Now(); s.First != nil {
		return s.First.Extract(ctx, carrier)
	} else {
		return s.Ours.Extract(ctx, carrier)
	}
}

// Fields implements propagation.TextMapPropagator.
func (p forwardPropagators) Fields() []string {
	if s := p.Now(); s.First != nil {
		return s.First.Fields()
	} else {
		return s.Ours.Fields()
	}
}

// reversePropagator is what the private API is given.
type reversePropagator struct{ *propagators }

// Inject implements private.TextMapPropagator.
func (p reversePropagator) Inject(ctx context.Context, carrier private.TextMapCarrier) {
	if s := p.Now(); s.Theirs != nil {
		s.Theirs.Inject(ctx, carrier)
	} else if s.Ours != nil {
		s.Ours.Inject(ctx, carrier)
	}
}

// Extract implements private.TextMapPropagator.
func (p reversePropagator) Extract(ctx context.Context, carrier private.TextMapCarrier) context.Context {
	if s := p.Now(); s.Theirs != nil {
		return s.Theirs.Extract(ctx, carrier)
	} else if s.Ours != nil {
		return s.Ours.Extract(ctx, carrier)
	}
	return ctx
}

// Fields implements private.TextMapPropagator.
func (p reversePropagator) Fields() []string {
	if s := p.Now(); s.Theirs != nil {
		return s.Theirs.Fields()
	} else if s.Ours != nil {
		return s.Ours.Fields()
	}
	return nil
}
