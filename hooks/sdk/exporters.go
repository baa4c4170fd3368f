package sdk

import (
	"context"
	"os"
	"slices"
	"strings"

	"go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Exporters are those of autoexport. Those that export by OTLP are made here, as autoexport makes them, for what it has no options for: the bound on
// answers (answers.go), and one default. Where nothing says where a collector is, the specification's is http://localhost:4318, or
// http://localhost:4317 for gRPC; the Go exporters take https.

// newSpanExporter returns the exporter that the environment asks for.
func newSpanExporter(ctx context.Context) (trace.SpanExporter, error) {
	if isOTLP(tracesSignal) {
		local := isLocal(tracesSignal)
		switch (pipeline{signal: tracesSignal}).otlp("PROTOCOL") {
		case "grpc":
			opts := []otlptracegrpc.Option{otlptracegrpc.WithDialOption(boundGRPC())}
			if local {
				opts = append(opts, otlptracegrpc.WithInsecure())
			}
			return otlptracegrpc.New(ctx, opts...)
		case "", "http/protobuf":
			if local {
				return otlptracehttp.New(ctx, otlptracehttp.WithInsecure())
			}
			return otlptracehttp.New(ctx)
		}
	}
	return autoexport.NewSpanExporter(ctx)
}

// newMetricReader returns the reader that the environment asks for. Those that export by OTLP are made here, as autoexport makes them, since
// the exporter inside of a reader cannot be had.
func newMetricReader(ctx context.Context) (metric.Reader, error) {
	opts, ok := producers()
	exporter, err := newMetricExporter(ctx)
	if !ok || err == nil && exporter == nil {
		return autoexport.NewMetricReader(ctx)
	}
	if err != nil {
		return nil, err
	}
	boundAnswers(exporter)
	return metric.NewPeriodicReader(metricExporter{exporter}, opts...), nil
}

// newMetricExporter returns an OTLP exporter, nil if another one is asked for.
func newMetricExporter(ctx context.Context) (metric.Exporter, error) {
	if !isOTLP(metricsSignal) {
		return nil, nil
	}
	local := isLocal(metricsSignal)
	switch (pipeline{signal: metricsSignal}).otlp("PROTOCOL") {
	case "grpc":
		opts := []otlpmetricgrpc.Option{otlpmetricgrpc.WithDialOption(boundGRPC())}
		if local {
			opts = append(opts, otlpmetricgrpc.WithInsecure())
		}
		return otlpmetricgrpc.New(ctx, opts...)
	case "", "http/protobuf":
		if local {
			return otlpmetrichttp.New(ctx, otlpmetrichttp.WithInsecure())
		}
		return otlpmetrichttp.New(ctx)
	}
	return nil, nil
}

func isOTLP(signal string) bool {
	exporter := environ.Get("OTEL_" + signal + "_EXPORTER")
	return exporter == "" || exporter == "otlp"
}

// isLocal reports whether a signal goes by OTLP to where the specification has the collector by default: nothing is said of another
// place, nor of TLS.
func isLocal(signal string) bool {
	if !isOTLP(signal) {
		return false
	}
	said := func(name string) bool { return pipeline{signal: signal}.otlp(name) != "" }
	return !slices.ContainsFunc([]string{"ENDPOINT", "INSECURE", "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"}, said)
}

// producers reads OTEL_METRICS_PRODUCERS as autoexport does. Not ok: it names something else, which autoexport may know.
func producers() (opts []metric.PeriodicReaderOption, ok bool) {
	for _, name := range strings.Split(environ.Get("OTEL_METRICS_PRODUCERS"), ",") {
		switch name {
		case "", "none":
		case "prometheus":
			opts = append(opts, metric.WithProducer(prometheus.NewMetricProducer()))
		default:
			return nil, false
		}
	}
	return opts, true
}

// quiet reports whether nothing is exported because nobody has asked for it: in test binaries, whose goroutines, standard error and
// time are the tests'. Any variable that chooses or configures an exporter asks for it.
func quiet() bool {
	return isTest() && !slices.ContainsFunc(os.Environ(), func(setting string) bool {
		name, value, _ := strings.Cut(setting, "=")
		return value != "" && strings.HasPrefix(name, "OTEL_") && (strings.HasPrefix(name, "OTEL_EXPORTER_") || strings.HasSuffix(name, "_EXPORTER"))
	})
}

// isTest is a variable for the tests of this package, which otelobj does not link. It may be called before the package is initialized.
var isTest = rt.IsTest
