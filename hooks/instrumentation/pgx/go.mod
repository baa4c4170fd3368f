module github.com/otelobj/otelobj/hooks/instrumentation/pgx

go 1.24.0

require (
	github.com/jackc/pgx/v5 v5.3.1
	github.com/otelobj/otelobj/hooks/active v0.0.0
	github.com/otelobj/otelobj/hooks/database v0.0.0
	github.com/otelobj/otelobj/hooks/rt v0.0.0
	go.opentelemetry.io/otel v1.41.0
	go.opentelemetry.io/otel/metric v1.41.0
	go.opentelemetry.io/otel/trace v1.41.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/go-logr/logr v1.4.3 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20221227161230-091c0ba34f0a // indirect
	github.com/jackc/puddle/v2 v2.2.0 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	golang.org/x/crypto v0.6.0 // indirect
	golang.org/x/sync v0.1.0 // indirect
	golang.org/x/text v0.7.0 // indirect
)

replace (
	github.com/otelobj/otelobj/hooks/active => ../../active
	github.com/otelobj/otelobj/hooks/database => ../../database
	github.com/otelobj/otelobj/hooks/rt => ../../rt
)
