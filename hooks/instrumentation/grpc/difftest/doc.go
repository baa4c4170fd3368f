// Package difftest compares the hooks of hooks/instrumentation/grpc, driven by hand, with otelgrpc. It is a module of its own, because it needs the SDK.
package difftest
