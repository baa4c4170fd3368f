//go:build otelapi_embedded

package spans

import "go.opentelemetry.io/otel/trace/embedded"

type (
	embeddedSpan           = embedded.Span
	embeddedTracer         = embedded.Tracer
	embeddedTracerProvider = embedded.TracerProvider
)
