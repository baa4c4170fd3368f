//go:build otelobj_chosen && !otelobj_program

package sdk

import (
	"context"
	"errors"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Exporters by their names in OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER, of those that are in this program.
var (
	spanExporters = map[string]func() (trace.SpanExporter, error){}
	metricReaders = map[string]func(...metric.PeriodicReaderOption) (metric.Reader, error){}
)

type (
	noSpanExporter struct{ trace.SpanExporter }
	noMetricReader struct{ metric.Reader }
)

func isNoSpanExporter(e trace.SpanExporter) bool { return e == trace.SpanExporter(noSpanExporter{}) }

func isNoMetricReader(r metric.Reader) bool { return r == metric.Reader(noMetricReader{}) }

func newOtherSpanExporter(context.Context) (trace.SpanExporter, error) {
	name := environ.Get("OTEL_TRACES_EXPORTER")
	if name == "none" {
		return noSpanExporter{}, nil
	}
	if make, ok := spanExporters[name]; ok {
		return make()
	}
	return nil, notLinked(tracesSignal, slices.Collect(maps.Keys(spanExporters)))
}

func newOtherMetricReader(context.Context) (metric.Reader, error) {
	name := environ.Get("OTEL_METRICS_EXPORTER")
	if name == "none" {
		return noMetricReader{}, nil
	}
	opts, ok := producers()
	if !ok {
		return nil, errors.New("unknown metrics producer in OTEL_METRICS_PRODUCERS")
	}
	if make, ok := metricReaders[name]; ok {
		return make(opts...)
	}
	return nil, notLinked(metricsSignal, slices.Collect(maps.Keys(metricReaders)))
}
