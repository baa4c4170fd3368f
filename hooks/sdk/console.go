//go:build otelobj_chosen && otelobj_console && !otelobj_program

package sdk

import (
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

var _ = addConsole()

func addConsole() bool {
	spanExporters["console"] = func() (trace.SpanExporter, error) { return stdouttrace.New() }
	metricReaders["console"] = func(opts ...metric.PeriodicReaderOption) (metric.Reader, error) {
		exporter, err := stdoutmetric.New()
		if err != nil {
			return nil, err
		}
		return metric.NewPeriodicReader(exporter, opts...), nil
	}
	return true
}
