//go:build otelapi_boundaries

package reverse

import "go.opentelemetry.io/otel/metric"

func withBoundaries(b []float64) any { return metric.WithExplicitBucketBoundaries(b...) }
