// Package hooks names the packages of others that belong to the hooks zone: they are compiled against the private copy of OpenTelemetry's API, but
// against the program's copy of the library that they observe, and only where the program links that library.
package hooks

import (
	// Bridges from loggers.
	_ "go.opentelemetry.io/contrib/bridges/otellogrus"
	_ "go.opentelemetry.io/contrib/bridges/otelzap"

	// Reads the default registry of the program's github.com/prometheus/client_golang.
	_ "go.opentelemetry.io/contrib/bridges/prometheus"

	// The stats handlers of clients and servers of the program's google.golang.org/grpc.
	_ "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
)
