module github.com/otelobj/otelobj/hooks/instrumentation/httprouter

go 1.24.0

require (
	github.com/julienschmidt/httprouter v1.2.0
	github.com/otelobj/otelobj/hooks/rt v0.0.0
)

replace github.com/otelobj/otelobj/hooks/rt => ../../rt
