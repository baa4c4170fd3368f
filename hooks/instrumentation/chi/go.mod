module github.com/otelobj/otelobj/hooks/instrumentation/chi

go 1.24.0

require (
	github.com/go-chi/chi/v5 v5.0.0
	github.com/otelobj/otelobj/hooks/rt v0.0.0
)

replace github.com/otelobj/otelobj/hooks/rt => ../../rt
