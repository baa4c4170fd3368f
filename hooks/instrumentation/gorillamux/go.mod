module github.com/otelobj/otelobj/hooks/instrumentation/gorillamux

go 1.24.0

require (
	github.com/gorilla/mux v1.7.0
	github.com/otelobj/otelobj/hooks/rt v0.0.0
)

replace github.com/otelobj/otelobj/hooks/rt => ../../rt
