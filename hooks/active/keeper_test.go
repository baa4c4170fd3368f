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
