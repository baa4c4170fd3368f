// Command hand is the service, instrumented by hand with otelmux.
package main

import (
	"example.com/shared/sdk"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gorilla/mux/otelmux"

	"example.com/app/app"
)

func main() {
	defer sdk.Start()()
	app.Run(otelmux.Middleware("shop"))
}
