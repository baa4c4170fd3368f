//go:build !otelobj_program

package sdk

import (
	"net/url"
	"slices"
	"strings"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// destinations says where signals go.
func destinations(made []flusher) (parts []string) {
	if quiet() {
		return []string{"nothing is exported, as this is a test binary and no variable chooses an exporter"}
	}
	for _, signal := range []string{tracesSignal, metricsSignal} {
		isMade := func(f flusher) bool { p, ok := f.(pipeline); return ok && p.signal == signal }
		text := lower(signal) + ": none"
		if slices.ContainsFunc(made, isMade) {
			text = lower(signal) + ": " + destination(signal)
		}
		parts = append(parts, text)
	}
	return append(parts, "sampler: "+sampler())
}

// destination says by which exporter a signal goes where.
func destination(signal string) string {
	if !isOTLP(signal) {
		return environ.Get("OTEL_" + signal + "_EXPORTER")
	}
	p := pipeline{signal: signal}
	protocol, endpoint := p.protocol(), environ.Get("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT")
	if endpoint == "" {
		if endpoint = p.otlp("ENDPOINT"); endpoint == "" {
			endpoint = localEndpoint(signal, protocol)
		}
		if protocol != "grpc" {
			endpoint = strings.TrimSuffix(endpoint, "/") + "/v1/" + lower(signal)
		}
	}
	if u, err := url.Parse(endpoint); err == nil {
		endpoint = u.Redacted()
	}
	return "otlp (" + protocol + ") to " + endpoint
}

// localEndpoint is where the exporters go without an endpoint.
func localEndpoint(signal, protocol string) string {
	scheme, port := "https", "4318"
	if isLocal(signal) {
		scheme = "http"
	}
	if protocol == "grpc" {
		port = "4317"
	}
	return scheme + "://localhost:" + port
}

func sampler() string {
	name := environ.Get("OTEL_TRACES_SAMPLER")
	if name == "" {
		return "parentbased_always_on"
	}
	if arg := environ.Get("OTEL_TRACES_SAMPLER_ARG"); arg != "" {
		name += " (" + arg + ")"
	}
	return name
}
