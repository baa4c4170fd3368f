// Package reverse has meters of the private API, whose work is done by the program's provider as soon as it has set one. All but this file is made of
// package forward by exchanging the two APIs (see meters.go).
package reverse

import (
	"go.opentelemetry.io/otel/attribute"
	impl "go.opentelemetry.io/otel/metric"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	api "otelobj.private/go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
	"github.com/otelobj/otelobj/hooks/bridge/meters/sides"
)

// target is who does the work: a provider of the API that the instruments have, or one of the other.
func target(s *sides.State) (same api.MeterProvider, cross impl.MeterProvider) {
	if s.Theirs != nil {
		return nil, s.Theirs
	}
	return s.Ours, nil
}

type (
	attributeSet = privateattr.Set
	distinct     = privateattr.Distinct
)

func convertSet(set attributeSet) attribute.Set { return attrs.ProgramSet(set) }
