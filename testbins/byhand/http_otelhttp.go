//go:build otelhttp

package main

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

func handler(h http.Handler) http.Handler { return otelhttp.NewHandler(h, "shop") }

func transport(t http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(t) }
