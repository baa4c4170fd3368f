//go:build !otelobj_program

package sdk

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Exporters are those of autoexport. Those that export by OTLP are made here, as autoexport makes them, for what it has no options for: the bound on
// answers (answers.go), and one default. Where nothing says where a collector is, the specification's is http://localhost:4318, or
// http://localhost:4317 for gRPC; the Go exporters take https.
//
// Which of them a program has is chosen when it is built (OTELOBJ_EXPORTERS), by the build tags of otlp_http.go, otlp_grpc.go, console.go and others.go.

// transport makes the exporters of one protocol of OTLP. local: the collector is where the specification has it by default.
type transport struct {
	spans   func(ctx context.Context, local bool) (trace.SpanExporter, error)
	metrics func(ctx context.Context, local bool) (metric.Exporter, error)
}

// transports are those that are in this program, by protocol.
var transports = map[string]transport{}

// addTransport is called while package variables are initialised: init already exports.
func addTransport(protocol string, t transport) bool {
	transports[protocol] = t
	return true
}

// otlpTransport returns what exports a signal, if that goes by OTLP and by a protocol that is in this program.
func otlpTransport(signal string) (transport, bool) {
	if !isOTLP(signal) {
		return transport{}, false
	}
	t, ok := transports[pipeline{signal: signal}.protocol()]
	return t, ok
}

// absentError says that an exporter is not in this program. variable asks for it.
type absentError struct{ variable, text string }

// Error implements error.
func (e absentError) Error() string { return e.text }

// newSpanExporter returns the exporter that the environment asks for.
func newSpanExporter(ctx context.Context) (trace.SpanExporter, error) {
	if t, ok := otlpTransport(tracesSignal); ok {
		return t.spans(ctx, isLocal(tracesSignal))
	}
	return newOtherSpanExporter(ctx)
}

// newMetricReader returns the reader that the environment asks for. Those that export by OTLP are made here, as autoexport makes them, since
// the exporter inside of a reader cannot be had.
func newMetricReader(ctx context.Context) (metric.Reader, error) {
	opts, ok := producers()
	exporter, err := newMetricExporter(ctx)
	if !ok || err == nil && exporter == nil {
		return newOtherMetricReader(ctx)
	}
	if err != nil {
		return nil, err
	}
	boundAnswers(exporter)
	return metric.NewPeriodicReader(metricExporter{exporter}, opts...), nil
}

// newMetricExporter returns an OTLP exporter, nil if another one is asked for.
func newMetricExporter(ctx context.Context) (metric.Exporter, error) {
	if t, ok := otlpTransport(metricsSignal); ok {
		return t.metrics(ctx, isLocal(metricsSignal))
	}
	return nil, nil
}

// newRegistryProducer reads the default registry of Prometheus' client; nil if nothing in this program can have registered anything there.
var newRegistryProducer func() metric.Producer

// protocol is that by which a signal goes, if it goes by OTLP: where no variable names one, that of the Go exporters, or the only one in this program.
func (p pipeline) protocol() string {
	if protocol := p.otlp("PROTOCOL"); protocol != "" {
		return protocol
	}
	if len(transports) == 1 {
		for protocol := range transports {
			return protocol
		}
	}
	return "http/protobuf"
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
			if newRegistryProducer != nil {
				opts = append(opts, metric.WithProducer(newRegistryProducer()))
			}
		default:
			return nil, false
		}
	}
	return opts, true
}

// protocols are those of the Go exporters.
var protocols = []string{"grpc", "http/protobuf"}

// blame returns the setting on account of which there is no exporter for a signal, and what is wrong with it. err: what the exporters say, who
// call a protocol that they do not have an exporter that is not known.
func blame(signal string, err error) (what string, why error) {
	var absent absentError
	if errors.As(err, &absent) {
		return setting(absent.variable), err
	}
	what = setting("OTEL_" + signal + "_EXPORTER")
	protocol := pipeline{signal: signal}.otlp("PROTOCOL")
	if exporter := environ.Get("OTEL_" + signal + "_EXPORTER"); err == nil || exporter != "" && exporter != "otlp" || protocol == "" || slices.Contains(protocols, protocol) {
		return what, err
	}
	variable := "OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL"
	if environ.Get(variable) == "" {
		variable = "OTEL_EXPORTER_OTLP_PROTOCOL"
	}
	return setting(variable), errors.New("the Go exporters do not support this protocol, so no " + strings.ToLower(signal) + " are exported; they support " + strings.Join(protocols, " and "))
}
