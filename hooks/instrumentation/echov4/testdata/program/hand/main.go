// Command hand is the service, instrumented by hand with otelecho.
package main

import (
	"example.com/shared/sdk"
	"go.opentelemetry.io/contrib/instrumentation/github.com/labstack/echo/otelecho"

	"example.com/app/app"
)

func main() {
	defer sdk.Start()()
	app.Run(otelecho.Middleware("shop"))
}
