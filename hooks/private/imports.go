// Package private names the packages of the private zone: what the hooks take from outside the standard library, OpenTelemetry's API included.
//
// otelobj compiles them, and what they import outside the standard library, under import paths of their own (otelobj.private/...), in exactly the
// versions of this module's go.mod. go.sum has the hash of each. A release that is retracted or vulnerable is changed there, in one place:
//
//	cd hooks/private && go get MODULE@VERSION && go mod tidy
//
// The go directives of the modules do not matter, since the go command does not compile the zone: the language version is capped at the
// toolchain's, and where a file needs a newer standard library, replace.yaml has an edit of it. docs/contributing/private-sdk.md says more.
package private

import (
	// What the hooks import.
	_ "go.opentelemetry.io/contrib/bridges/otelslog"
	_ "go.opentelemetry.io/contrib/exporters/autoexport"
	_ "go.opentelemetry.io/contrib/instrumentation/runtime"
	_ "go.opentelemetry.io/contrib/propagators/autoprop"
	_ "go.opentelemetry.io/otel"
	_ "go.opentelemetry.io/otel/attribute"
	_ "go.opentelemetry.io/otel/baggage"
	_ "go.opentelemetry.io/otel/codes"
	_ "go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	_ "go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	_ "go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	_ "go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	_ "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	_ "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	_ "go.opentelemetry.io/otel/exporters/stdout/stdoutlog"
	_ "go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	_ "go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	_ "go.opentelemetry.io/otel/log"
	_ "go.opentelemetry.io/otel/log/global"
	_ "go.opentelemetry.io/otel/metric"
	_ "go.opentelemetry.io/otel/propagation"
	_ "go.opentelemetry.io/otel/sdk/instrumentation"
	_ "go.opentelemetry.io/otel/sdk/log"
	_ "go.opentelemetry.io/otel/sdk/metric"
	_ "go.opentelemetry.io/otel/sdk/metric/metricdata"
	_ "go.opentelemetry.io/otel/sdk/resource"
	_ "go.opentelemetry.io/otel/sdk/trace"
	_ "go.opentelemetry.io/otel/sdk/trace/tracetest"
	_ "go.opentelemetry.io/otel/trace"
	_ "google.golang.org/grpc"
	_ "google.golang.org/grpc/status"

	// What bridges and delegating providers implement and embed.
	_ "github.com/go-logr/logr"
	_ "go.opentelemetry.io/otel/log/embedded"
	_ "go.opentelemetry.io/otel/log/noop"
	_ "go.opentelemetry.io/otel/metric/embedded"
	_ "go.opentelemetry.io/otel/metric/noop"
	_ "go.opentelemetry.io/otel/trace/embedded"
	_ "go.opentelemetry.io/otel/trace/noop"
)
