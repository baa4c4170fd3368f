//go:build !otelobj_program

package sdk

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
)

// ownSpans adds the spans of our provider to the table.
type ownSpans struct {
	*spanTable
	copies copier
}

// OnStart implements trace.SpanProcessor.
func (o ownSpans) OnStart(_ context.Context, span trace.ReadWriteSpan) {
	o.add(openSpan{span, o.copies})
}

// OnEnd implements trace.SpanProcessor. It runs on the goroutine that ends the span.
func (t *spanTable) OnEnd(span trace.ReadOnlySpan) {
	t.forget(span.SpanContext())
	if !rt.InHook() {
		active.Ended(span.SpanContext())
	}
}

// Shutdown implements trace.SpanProcessor.
func (*spanTable) Shutdown(context.Context) error { return nil }

// ForceFlush implements trace.SpanProcessor.
func (*spanTable) ForceFlush(context.Context) error { return nil }

// copies exports copies by a processor.
type copies struct{ trace.SpanProcessor }

func (c *copies) exportCopy(span tracked, end time.Time) {
	stub := tracetest.SpanStubFromReadOnlySpan(span.(trace.ReadOnlySpan))
	stub.EndTime = end
	stub.Attributes = append(slices.Clone(stub.Attributes), keyEndedAtExit.Bool(true))
	c.OnEnd(stub.Snapshot())
}
