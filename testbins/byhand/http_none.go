//go:build !otelhttp

package main

import "net/http"

func handler(h http.Handler) http.Handler { return h }

func transport(t http.RoundTripper) http.RoundTripper { return t }
