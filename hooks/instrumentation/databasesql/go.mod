module github.com/otelobj/otelobj/hooks/instrumentation/databasesql

go 1.24.0

require (
	github.com/otelobj/otelobj/hooks/database v0.0.0
	github.com/otelobj/otelobj/hooks/rt v0.0.0
	go.opentelemetry.io/otel v1.41.0
	go.opentelemetry.io/otel/metric v1.41.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/go-logr/logr v1.4.3 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/otelobj/otelobj/hooks/active v0.0.0 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/otel/trace v1.41.0 // indirect
)

replace (
	github.com/otelobj/otelobj/hooks/active => ../../active
	github.com/otelobj/otelobj/hooks/database => ../../database
	github.com/otelobj/otelobj/hooks/rt => ../../rt
)
