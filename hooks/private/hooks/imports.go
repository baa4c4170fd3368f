// Package hooks names the packages of others that belong to the hooks zone: they are compiled against the private copy of OpenTelemetry's API, but
// against the program's copy of the library that they observe, and only where the program links that library.
package hooks

import (
	// Reads the default registry of the program's github.com/prometheus/client_golang.
	_ "go.opentelemetry.io/contrib/bridges/prometheus"
)
