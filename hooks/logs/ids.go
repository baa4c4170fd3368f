package logs

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Names of the fields that a program's own structured output gets, as OpenTelemetry's specification has them for formats other than OTLP ("Trace Context in
// non-OTLP Log Formats").
const (
	TraceID = "trace_id"
	SpanID  = "span_id"
)

// adds is what OTELOBJ_LOG_TRACE_IDS says.
var adds = !strings.EqualFold(strings.TrimSpace(environ.Get("OTELOBJ_LOG_TRACE_IDS")), "false")

// IDs returns what is to be added to a program's own structured output of a record. ok: there is a span, and the user wants it.
func IDs(ctx context.Context) (traceID, spanID string, ok bool) {
	if !adds || rt.Suppressed() {
		return "", "", false
	}
	sc := trace.SpanContextFromContext(Context(ctx))
	if !sc.IsValid() {
		return "", "", false
	}
	return sc.TraceID().String(), sc.SpanID().String(), true
}
