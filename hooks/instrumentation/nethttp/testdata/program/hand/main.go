// Command hand runs the script of package app, instrumented by hand with otelhttp. Exporters are set up from OTEL_* variables.
package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"example.com/difftest/app"
)

func main() {
	ctx := context.Background()
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		app.Fatal(err)
	}
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		app.Fatal(err)
	}
	tp := trace.NewTracerProvider(trace.WithBatcher(exporter))
	mp := metric.NewMeterProvider(metric.WithReader(reader))
	otel.SetTracerProvider(tp)
	otel.SetMeterProvider(mp)
	otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())

	app.Run(app.Wrap{
		Handler: func(h http.Handler) http.Handler {
			return otelhttp.NewHandler(h, "", otelhttp.WithSpanNameFormatter(spanName), otelhttp.WithMetricAttributesFn(routeAttribute))
		},
		Transport: func(t http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(t) },
	})

	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := errors.Join(tp.Shutdown(ctx), mp.Shutdown(ctx)); err != nil {
		app.Fatal(err)
	}
}

// spanName and routeAttribute are what newer versions of otelhttp do by themselves.
func spanName(_ string, r *http.Request) string { return strings.TrimSpace(r.Method + " " + route(r)) }

func routeAttribute(r *http.Request) []attribute.KeyValue {
	if route(r) == "" {
		return nil
	}
	return []attribute.KeyValue{attribute.String("http.route", route(r))}
}

func route(r *http.Request) string {
	if i := strings.IndexByte(r.Pattern, '/'); i >= 0 {
		return r.Pattern[i:]
	}
	return ""
}
