// Command hand is the service, instrumented by hand with otelgin.
package main

import (
	"example.com/shared/sdk"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"

	"example.com/app/app"
)

func main() {
	defer sdk.Start()()
	app.Run(otelgin.Middleware("shop"))
}
