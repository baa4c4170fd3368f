//go:build !otelapi_embedded

package globals

import "go.opentelemetry.io/otel/trace"

func noopProvider() trace.TracerProvider { return trace.NewNoopTracerProvider() }
