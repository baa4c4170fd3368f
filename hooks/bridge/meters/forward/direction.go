// Package forward has meters of the program's API, whose work is done by the private API's provider until the program sets one of its own.
package forward

import (
	"go.opentelemetry.io/otel/attribute"
	api "go.opentelemetry.io/otel/metric"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	impl "otelobj.private/go.opentelemetry.io/otel/metric"
	"otelobj.private/go.opentelemetry.io/otel/metric/noop"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
	"github.com/otelobj/otelobj/hooks/bridge/meters/sides"
)

// target is who does the work: a provider of the API that the instruments have, or one of the other.
func target(s *sides.State) (same api.MeterProvider, cross impl.MeterProvider) {
	if s.First != nil {
		return s.First, nil
	}
	if s.Ours == nil {
		return nil, noop.NewMeterProvider()
	}
	return nil, s.Ours
}

type (
	attributeSet = attribute.Set
	distinct     = attribute.Distinct
)

func convertSet(set attributeSet) privateattr.Set { return attrs.PrivateSet(set) }

func withBoundaries(b []float64) any { return impl.WithExplicitBucketBoundaries(b...) }
