package active

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

// provider is one whose tracers say whose they are. It cannot be compared.
type provider struct {
	embedded.TracerProvider
	name string
	_    []int
}

type tracer struct {
	noop.Tracer
	of *provider
}

func (p *provider) Tracer(string, ...trace.TracerOption) trace.Tracer { return &tracer{of: p} }

// child is a span of a provider, sampled or not.
type child struct {
	noop.Span
	sc trace.SpanContext
	of *provider
}

func (c child) SpanContext() trace.SpanContext       { return c.sc }
func (c child) TracerProvider() trace.TracerProvider { return c.of }

func TestTracersFollowTheParent(t *testing.T) {
	global, other := &provider{name: "global"}, &provider{name: "other"}
	ids := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})
	in := func(ctx context.Context) trace.Span { return trace.SpanFromContext(ctx) }
	bg := context.Background()
	var tracers Tracers
	made := 0
	of := func(parent trace.Span) string {
		return tracers.For(parent, func() trace.TracerProvider { return global }, func(tp trace.TracerProvider) trace.Tracer { made++; return tp.Tracer("") }).(*tracer).of.name
	}
	for range 2 {
		for name, c := range map[string]struct {
			parent trace.Span
			want   string
		}{
			"none":      {in(bg), "global"},
			"extracted": {in(trace.ContextWithRemoteSpanContext(bg, ids)), "global"},
			"only IDs":  {in(trace.ContextWithSpanContext(bg, ids)), "global"},
			"a span":    {child{sc: ids, of: other}, "other"},
			"remote":    {child{sc: ids.WithRemote(true), of: other}, "global"},
		} {
			if got := of(c.parent); got != c.want {
				t.Errorf("%s: %s, not %s", name, got, c.want)
			}
		}
	}
	if made != 2 {
		t.Error(made, "tracers were made")
	}
	global = &provider{name: "new"}
	if got := of(in(bg)); got != "new" {
		t.Error(got)
	}
}
