module github.com/otelobj/otelobj/hooks/instrumentation/echov5

go 1.25.0

require (
	github.com/labstack/echo/v5 v5.0.0
	github.com/otelobj/otelobj/hooks/rt v0.0.0
)

replace github.com/otelobj/otelobj/hooks/rt => ../../rt
