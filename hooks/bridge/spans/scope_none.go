//go:build !otelapi_scope

package spans

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// withScopeAttributes returns nil: before 1.14 scopes have no attributes.
func withScopeAttributes([]attribute.KeyValue) trace.TracerOption { return nil }
