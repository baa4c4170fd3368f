// Package reverse has meters of the private API, whose work is done by the program's provider as soon as it has set one. All but this file is made of
// package forward by exchanging the two APIs (see meters.go).
package reverse

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	impl "go.opentelemetry.io/otel/metric"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	api "otelobj.private/go.opentelemetry.io/otel/metric"
	"otelobj.private/go.opentelemetry.io/otel/metric/embedded"
	"otelobj.private/go.opentelemetry.io/otel/metric/noop"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
	"github.com/otelobj/otelobj/hooks/bridge/meters/sides"
)

// target is who does the work: a provider of the API that the instruments have, or one of the other.
func target(s *sides.State) (same api.MeterProvider, cross impl.MeterProvider) {
	if s.Theirs != nil {
		return nil, s.Theirs
	}
	if s.Ours == nil { // the program may not have package noop of its API
		return noop.NewMeterProvider(), nil
	}
	return s.Ours, nil
}

// Theirs returns the provider of the program's that does the work, nil if there is none. The flush asks for it.
func (p *provider) Theirs() any {
	if theirs := p.of.Now().Theirs; theirs != nil {
		return theirs
	}
	return nil
}

// Current returns what works for a counter at the moment: what was added to one is to be taken off the same.
func (c int64UpDownCounter) Current() api.Int64UpDownCounter {
	m := c.now()
	if own, ok := m.same.(api.Int64UpDownCounter); m.isSame && ok {
		return own
	}
	return lasting{cross: m.cross, sets: &c.sets}
}

// lasting is a counter that stays with one provider.
type lasting struct {
	embedded.Int64UpDownCounter
	cross implAdder[int64]
	sets  *setCache
}

// Add implements api.Int64UpDownCounter.
func (l lasting) Add(ctx context.Context, v int64, opts ...api.AddOption) {
	config := api.NewAddConfig(opts)
	l.cross.Add(ctx, v, l.sets.of(config.Attributes()).add...)
}

// Enabled implements api.Int64UpDownCounter.
func (l lasting) Enabled(ctx context.Context) bool {
	e, ok := l.cross.(interface{ Enabled(context.Context) bool })
	return !ok || e.Enabled(ctx)
}

type (
	attributeSet = privateattr.Set
	distinct     = privateattr.Distinct
)

func convertSet(set attributeSet) attribute.Set { return attrs.ProgramSet(set) }
