//go:build !otelapi_map

package attrs

import "go.opentelemetry.io/otel/attribute"

func maps() func(...attribute.KeyValue) attribute.Value { return nil }
