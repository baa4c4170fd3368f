package sdk

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
	apitrace "go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/openspans"
	"github.com/otelobj/otelobj/hooks/rt/theirs"
)

// spanTable knows the spans that are open, so that they can be ended when the program ends. It is a span processor of our provider.
type spanTable struct {
	openspans.Table[trace.ReadWriteSpan]
}

var openSpans spanTable

// OnStart implements trace.SpanProcessor.
func (t *spanTable) OnStart(_ context.Context, span trace.ReadWriteSpan) {
	t.Add(span.SpanContext().SpanID(), span)
}

// OnEnd implements trace.SpanProcessor. It runs on the goroutine that ends the span.
func (t *spanTable) OnEnd(span trace.ReadOnlySpan) {
	t.Remove(span.SpanContext().SpanID())
	if !rt.InHook() {
		active.Ended(span.SpanContext())
	}
}

// parent returns the parent of an open span.
func (t *spanTable) parent(id openspans.ID) (parent openspans.ID, ok bool) {
	span, ok := t.Get(id)
	if !ok {
		return parent, false
	}
	return span.Parent().SpanID(), true
}

// end ends all open spans. The goroutines that they belong to may still be at work; what they add now is lost.
func (t *spanTable) end() {
	t.Drain(func(span trace.ReadWriteSpan) {
		span.SetAttributes(attribute.Bool(openspans.EndedAtExit, true))
		span.End()
	})
}

// Shutdown implements trace.SpanProcessor.
func (*spanTable) Shutdown(context.Context) error { return nil }

// ForceFlush implements trace.SpanProcessor.
func (*spanTable) ForceFlush(context.Context) error { return nil }

// dropped and parentOf are what package active asks for: spans of ours and of the program's own.

func dropped(span apitrace.SpanContext) {
	openSpans.Remove(span.SpanID())
	for _, t := range theirs.Open() {
		t.Forget(span.SpanID())
	}
}

func parentOf(id apitrace.SpanID) (apitrace.SpanID, bool) {
	if parent, ok := openSpans.parent(id); ok {
		return parent, true
	}
	for _, t := range theirs.Open() {
		if parent, ok := t.Parent(id); ok {
			return parent, true
		}
	}
	return apitrace.SpanID{}, false
}

func endAll() {
	openSpans.end()
	for _, t := range theirs.Open() {
		t.End()
	}
}
