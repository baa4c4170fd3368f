// Package difftest compares the hooks of hooks/instrumentation/nethttp, driven by hand, with otelhttp. It is a module of its own, so that
// hooks/instrumentation/nethttp, which is linked into other people's programs, requires nothing but the OpenTelemetry API.
package difftest
