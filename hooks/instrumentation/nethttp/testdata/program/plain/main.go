// Command plain runs the script of package app and knows nothing of OpenTelemetry.
package main

import (
	"net/http"

	"example.com/difftest/app"
)

func main() {
	app.Run(app.Wrap{
		Handler:   func(h http.Handler) http.Handler { return h },
		Transport: func(t http.RoundTripper) http.RoundTripper { return t },
	})
}
