module github.com/otelobj/otelobj/hooks/active

go 1.24.0

require (
	github.com/otelobj/otelobj/hooks/rt v0.0.0
	go.opentelemetry.io/otel v1.41.0
	go.opentelemetry.io/otel/trace v1.41.0
)

require github.com/cespare/xxhash/v2 v2.3.0 // indirect

replace github.com/otelobj/otelobj/hooks/rt => ../rt
