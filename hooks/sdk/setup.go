//go:build !otelobj_program

package sdk

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// hasSDK says whether this program has one of ours, which variables configure.
const hasSDK = true

// setup makes the global providers and returns what has to be flushed at exit.
func setup(ctx context.Context) []flusher {
	res := describe(ctx)
	var made []flusher
	if tp := newTracerProvider(ctx, res); tp != nil {
		made = append(made, pipeline{tp, tracesSignal})
		follow(tp)
		otel.SetTracerProvider(tp)
	}
	if mp := newMeterProvider(ctx, res); mp != nil {
		made = append(made, pipeline{mp, metricsSignal})
		otel.SetMeterProvider(&meterProvider{MeterProvider: mp})
		report("runtime metrics", startRuntimeMetrics(otel.GetMeterProvider()))
	}
	return made
}

// newTracerProvider returns nil if spans are not to be exported: then none are recorded, and contexts still pass through.
func newTracerProvider(ctx context.Context, res *resource.Resource) *trace.TracerProvider {
	exporter, err := newSpanExporter(ctx)
	if err != nil || exporter == nil {
		report(blame(tracesSignal, err))
		return nil
	}
	if isNoSpanExporter(exporter) {
		return nil
	}
	boundAnswers(exporter)
	limits := spanLimits()
	waiting := newQueue(spanExporter{exporter}, limits.AttributeValueLengthLimit)
	return trace.NewTracerProvider(
		trace.WithSpanProcessor(ownSpans{&openSpans, &copies{waiting}}), trace.WithSpanProcessor(waiting), trace.WithRawSpanLimits(limits), trace.WithResource(res))
}

func newMeterProvider(ctx context.Context, res *resource.Resource) *metric.MeterProvider {
	reader, err := newMetricReader(ctx)
	if err != nil || reader == nil {
		report(blame(metricsSignal, err))
		return nil
	}
	if isNoMetricReader(reader) {
		return nil
	}
	return metric.NewMeterProvider(metric.WithReader(reader), metric.WithResource(res))
}

// sayIfUnset is for programs without an SDK of ours.
func sayIfUnset() {}
