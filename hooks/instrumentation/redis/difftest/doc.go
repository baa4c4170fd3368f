// Package difftest compares the hooks of hooks/instrumentation/redis, driven by hand, with redisotel. It is a module of its own, because it needs the SDK
// and a server.
package difftest
