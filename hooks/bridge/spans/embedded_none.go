//go:build !otelapi_embedded

package spans

// Before 1.20 the interfaces of package trace can be implemented without these.
type (
	embeddedSpan           struct{}
	embeddedTracer         struct{}
	embeddedTracerProvider struct{}
)
