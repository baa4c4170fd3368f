module github.com/otelobj/otelobj/hooks/instrumentation/redis/difftest

go 1.24.0

require (
	github.com/alicebob/miniredis/v2 v2.35.0
	github.com/go-redis/redis/extra/redisotel/v8 v8.11.5
	github.com/go-redis/redis/v8 v8.11.5
	github.com/otelobj/otelobj/hooks/instrumentation/redis v0.0.0
	github.com/otelobj/otelobj/hooks/rt v0.0.0
	github.com/redis/go-redis/extra/redisotel/v9 v9.17.3
	github.com/redis/go-redis/v9 v9.17.3
	go.opentelemetry.io/otel v1.41.0
	go.opentelemetry.io/otel/sdk v1.41.0
	go.opentelemetry.io/otel/sdk/metric v1.41.0
	go.opentelemetry.io/otel/trace v1.41.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
	github.com/go-logr/logr v1.4.3 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/go-redis/redis/extra/rediscmd/v8 v8.11.5 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/otelobj/otelobj/hooks/active v0.0.0 // indirect
	github.com/redis/go-redis/extra/rediscmd/v9 v9.17.3 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/otel/metric v1.41.0 // indirect
	golang.org/x/sys v0.41.0 // indirect
)

replace (
	github.com/otelobj/otelobj/hooks/active => ../../../active
	github.com/otelobj/otelobj/hooks/instrumentation/redis => ..
	github.com/otelobj/otelobj/hooks/rt => ../../../rt
)
