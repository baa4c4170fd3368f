// Command hand is the same server, instrumented by hand with OpenTelemetry's official libraries, all exporters included.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	spans, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		panic(err)
	}
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		panic(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans))
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	otel.SetTracerProvider(tp)
	otel.SetMeterProvider(mp)
	otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello") })
	server := &http.Server{Addr: os.Args[1], Handler: otelhttp.NewHandler(http.DefaultServeMux, "hello")}
	go func() {
		<-ctx.Done()
		server.Shutdown(context.Background())
	}()
	server.ListenAndServe()
	<-ctx.Done()
	tp.Shutdown(context.Background())
	mp.Shutdown(context.Background())
}
