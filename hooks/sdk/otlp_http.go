//go:build (!otelobj_chosen || otelobj_otlp_http) && !otelobj_program

package sdk

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

var _ = addTransport("http/protobuf", transport{
	spans: func(ctx context.Context, local bool) (trace.SpanExporter, error) {
		if local {
			return otlptracehttp.New(ctx, otlptracehttp.WithInsecure())
		}
		return otlptracehttp.New(ctx)
	},
	metrics: func(ctx context.Context, local bool) (metric.Exporter, error) {
		if local {
			return otlpmetrichttp.New(ctx, otlpmetrichttp.WithInsecure())
		}
		return otlpmetrichttp.New(ctx)
	},
})
