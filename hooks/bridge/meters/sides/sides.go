// Package sides has the state of the global meter provider: synchronous instruments ask for it with each measurement, and observable ones follow it.
package sides

import (
	"go.opentelemetry.io/otel/metric"

	private "otelobj.private/go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/bridge/sides"
)

// Instances of what package bridge/sides has for all signals.
type (
	Providers = sides.Providers[private.MeterProvider, metric.MeterProvider]
	State     = sides.State[private.MeterProvider, metric.MeterProvider]
	Follower  = sides.Follower
)

// Same reports whether two providers are one.
func Same(a, b any) bool { return sides.Same(a, b) }
