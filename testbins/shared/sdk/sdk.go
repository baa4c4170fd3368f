// Package sdk sets OpenTelemetry up from its variables, as programs that are instrumented by hand do.
package sdk

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

// Start sets the global providers. What it returns exports what is left.
func Start() (stop func()) {
	ctx := context.Background()
	exporter, err := autoexport.NewSpanExporter(ctx)
	check(err)
	reader, err := autoexport.NewMetricReader(ctx)
	check(err)
	traces, meters := trace.NewTracerProvider(trace.WithBatcher(exporter)), metric.NewMeterProvider(metric.WithReader(reader))
	otel.SetTracerProvider(traces)
	otel.SetMeterProvider(meters)
	otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())
	return func() { check(errors.Join(traces.Shutdown(ctx), meters.Shutdown(ctx))) }
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
