//go:build !otelapi_values

package attrs

import "go.opentelemetry.io/otel/attribute"

func values() (func([]byte) attribute.Value, func(...attribute.Value) attribute.Value) {
	return nil, nil
}
