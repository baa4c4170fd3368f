//go:build !otelobj_program

package logs

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/otelobj/otelobj/hooks/rt/environ"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
	"github.com/otelobj/otelobj/hooks/sdk"
)

// Exporters are those of autoexport. Those that export by OTLP are made here, as hooks/sdk makes those of spans. Which of them a program has is chosen when
// it is built (OTELOBJ_EXPORTERS), by the build tags of otlp_http.go, otlp_grpc.go, console.go and others.go.

// transports make the exporters of OTLP, by protocol. local: the collector is where the specification has it by default.
var transports = map[string]func(ctx context.Context, local bool) (log.Exporter, error){}

func addTransport(protocol string, t func(ctx context.Context, local bool) (log.Exporter, error)) bool {
	transports[protocol] = t
	return true
}

func init() {
	sdk.Add("LOGS", setUp)
	sdk.FollowGlobal(func() any { return otel.GetLoggerProvider() })
}

// setUp makes the global provider.
func setUp(ctx context.Context, s sdk.Signal, res *resource.Resource) (sdk.Flusher, error) {
	exporter, err := newExporter(ctx, s)
	if err != nil || exporter == nil {
		return nil, err
	}
	s.Bound(exporter)
	limit, opts := lengthLimit()
	provider := log.NewLoggerProvider(append(opts, log.WithProcessor(newQueue(noting{exporter, s}, s, limit)), log.WithResource(res))...)
	otel.SetLoggerProvider(provider)
	return provider, nil
}

// newExporter returns the exporter that the environment asks for, nil if it asks for none.
func newExporter(ctx context.Context, s sdk.Signal) (log.Exporter, error) {
	if protocol, ok := s.Protocol(); ok {
		if create, ok := transports[protocol]; ok {
			return create(ctx, s.IsLocal())
		}
	}
	if s.Exporter() == "none" {
		return nil, nil
	}
	return newOtherExporter(ctx, s)
}

// lengthLimit is the length of values, in bytes, negative for none, and what the SDK has to know of it: its own default is none.
func lengthLimit() (int, []log.LoggerProviderOption) {
	for _, name := range []string{"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"} {
		if n, ok := number(environ.Get(name)); ok {
			return n, []log.LoggerProviderOption{log.WithAttributeValueLengthLimit(n)}
		}
	}
	return sanitize.MaxStack, []log.LoggerProviderOption{log.WithAttributeValueLengthLimit(sanitize.MaxStack)}
}

// noting notes what becomes of exports, and keeps failures from the SDK.
type noting struct {
	log.Exporter
	signal sdk.Signal
}

// Export implements log.Exporter.
func (n noting) Export(ctx context.Context, records []log.Record) error {
	n.signal.Note(len(records), n.Exporter.Export(ctx, records))
	return nil
}
