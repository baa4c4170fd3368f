//go:build otelapi_scope

package spans

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

func withScopeAttributes(kvs []attribute.KeyValue) trace.TracerOption {
	return trace.WithInstrumentationAttributes(kvs...)
}
