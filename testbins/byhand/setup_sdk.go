//go:build sdk

package main

import (
	"context"
	"errors"
	"log"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// marker is a processor of the program's.
type marker struct{}

func (marker) OnStart(_ context.Context, s trace.ReadWriteSpan) {
	s.SetAttributes(attribute.String("marked", s.SpanKind().String()))
}
func (marker) OnEnd(trace.ReadOnlySpan)         {}
func (marker) Shutdown(context.Context) error   { return nil }
func (marker) ForceFlush(context.Context) error { return nil }

func setUp(ctx context.Context) func() {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	metrics, err := otlpmetrichttp.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	about := resource.NewSchemaless(attribute.String("service.name", "the shop"), attribute.Int("till", 3))
	traces := trace.NewTracerProvider(trace.WithResource(about), trace.WithSpanProcessor(marker{}), trace.WithBatcher(exporter))
	meters := metric.NewMeterProvider(metric.WithResource(about), metric.WithReader(metric.NewPeriodicReader(metrics)),
		metric.WithView(metric.NewView(metric.Instrument{Name: "shop.open"}, metric.Stream{Name: "shop.opened", Description: "Open orders."})))
	otel.SetTracerProvider(traces)
	otel.SetMeterProvider(meters)
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	return func() {
		if err := errors.Join(traces.Shutdown(ctx), meters.Shutdown(ctx)); err != nil {
			log.Fatal(err)
		}
	}
}
