//go:build !otelobj_chosen && !otelobj_program

package sdk

import (
	"context"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

var (
	newOtherSpanExporter = func(ctx context.Context) (trace.SpanExporter, error) { return autoexport.NewSpanExporter(ctx) }
	newOtherMetricReader = func(ctx context.Context) (metric.Reader, error) { return autoexport.NewMetricReader(ctx) }
	isNoSpanExporter     = autoexport.IsNoneSpanExporter
	isNoMetricReader     = autoexport.IsNoneMetricReader
)
