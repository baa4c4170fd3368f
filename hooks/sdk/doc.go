// Package sdk sets up the OpenTelemetry SDK before main.main runs, and flushes it when the program ends.
//
// # What it sets up
//
// Exporters and propagators are chosen by the standard environment variables, as contrib's autoexport and autoprop read them:
// OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_EXPORTER_OTLP_*, OTEL_PROPAGATORS, OTEL_TRACES_SAMPLER, OTEL_BSP_*,
// OTEL_METRIC_EXPORT_INTERVAL, OTEL_RESOURCE_ATTRIBUTES and so on. OTEL_SERVICE_NAME defaults to the name of the executable.
// Without an endpoint, OTLP goes to http://localhost:4318 (gRPC: 4317). In test binaries nothing is exported unless a variable
// chooses or configures an exporter. OTEL_SDK_DISABLED=true sets up nothing and switches the instrumentations off. Three variables are not the standard's:
// OTEL_GO_ENABLED_INSTRUMENTATIONS and OTEL_GO_DISABLED_INSTRUMENTATIONS (names separated by commas) switch instrumentations,
// and OTELOBJ_SHUTDOWN_TIMEOUT (a duration, or milliseconds; 5s if unset, 0: no flush) bounds the flush at exit.
//
// # What it says
//
// level.go reads OTEL_LOG_LEVEL, outcomes.go decides which exports that fail are worth a line, describe.go says what was set up.
// docs/configuration.md has the rules.
//
// # The end of a program
//
// exit.go decides who ends the program, signals_linux.go makes time where a signal or another program would end it on the spot, open.go knows the spans
// that are still open, providers.go the providers of the program's own, flush.go exports, refused.go sees that nobody waits for a
// collector that is not there.
//
// # Constraints
//
//   - The program's own set-up wins, whenever it happens, unless a variable says otherwise: hooks/bridge sees to it, where the program has
//     OpenTelemetry's API. Nothing here knows of that copy.
//   - Whatever goes wrong is reported to otel.Handle, which prints it, and never stops the program.
//   - Set-up connects to nothing and takes a few milliseconds at most.
//   - Exporters work under rt.Suppress: their requests are never traced, nor is anything on the goroutines they start.
//   - With the build tag otelobj_program (OTELOBJ_SDK=program) the package imports no SDK: files that need one have the opposite tag, and program.go takes their
//     place. What is left ends and flushes what the program's own SDK has.
//   - OpenTelemetry is a private copy at pinned versions. The package also compiles with the older ones of its go.mod, which work with every Go version.
package sdk
