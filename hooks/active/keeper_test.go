package active

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/trace"
)

type counting struct{ opened, closed, made int }

func (c *counting) Opened(trace.Span)        { c.opened++ }
func (c *counting) Closed(trace.SpanContext) { c.closed++ }
func (c *counting) Made(func() Flusher)      { c.made++ }

// What was made before there is a keeper is handed over once, and spans from then on.
func TestKeeper(t *testing.T) {
	span := trace.SpanFromContext(context.Background())
	Made(nil)
	Opened(span)
	ended := trace.SpanFromContext(trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{SpanID: trace.SpanID{1}})))
	Opened(ended)
	if Closed(ended.SpanContext()); len(keeper.open) != 1 {
		t.Errorf("%d open spans", len(keeper.open))
	}
	var c counting
	Keep(&c)
	if c != (counting{made: 1}) {
		t.Errorf("told %+v", c)
	}
	Made(nil)
	Opened(span)
	Closed(span.SpanContext())
	if c != (counting{1, 1, 2}) {
		t.Errorf("told %+v", c)
	}
}

// Where telemetry is off nothing is kept in memory.
func TestNoKeeper(t *testing.T) {
	keeper.Keeper = nil
	span := trace.SpanFromContext(context.Background())
	Made(nil)
	Opened(span)
	Keep(nil)
	Made(nil)
	Opened(span)
	Closed(span.SpanContext())
	if len(keeper.open)+len(keeper.made) != 0 {
		t.Errorf("%d spans and %d providers", len(keeper.open), len(keeper.made))
	}
}
