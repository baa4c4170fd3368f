//go:build auto

package main

import (
	"context"
	"errors"
	"log"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

func setUp(ctx context.Context) func() {
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		log.Fatal(err)
	}
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		log.Fatal(err)
	}
	traces, meters := trace.NewTracerProvider(trace.WithBatcher(exporter)), metric.NewMeterProvider(metric.WithReader(reader))
	otel.SetTracerProvider(traces)
	otel.SetMeterProvider(meters)
	otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())
	return func() {
		if err := errors.Join(traces.Shutdown(ctx), meters.Shutdown(ctx)); err != nil {
			log.Fatal(err)
		}
	}
}
