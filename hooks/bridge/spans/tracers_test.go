package spans

import (
	"context"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/trace"

	private "otelobj.private/go.opentelemetry.io/otel/trace"
	"otelobj.private/go.opentelemetry.io/otel/trace/noop"
)

// Instrumentations look tracers up with each request: that makes nothing new, and keeps no more than there are scopes.
func TestTracersAreKept(t *testing.T) {
	var p Providers
	forward, reverse := p.Forward(), p.Reverse()
	version, schema := trace.WithInstrumentationVersion("v1"), trace.WithSchemaURL("https://schema")
	one := forward.Tracer("x", version, schema)
	if one != p.Forward().Tracer("x", schema, version) {
		t.Error("another tracer for the same scope")
	}
	for _, other := range []trace.Tracer{forward.Tracer("x"), forward.Tracer("y", version, schema), forward.Tracer("x", version)} {
		if other == one {
			t.Error("the same tracer for another scope")
		}
	}
	privateVersion := private.WithInstrumentationVersion("v1")
	if reverse.Tracer("x", privateVersion) != reverse.Tracer("x", privateVersion) || reverse.Tracer("x", privateVersion) == reverse.Tracer("x") {
		t.Error("tracers of the private API are not told apart by their scopes")
	}
	for i := range 2 * maxKept {
		forward.Tracer(fmt.Sprint("many", i))
	}
	if n := len(p.forward.made); n != maxKept {
		t.Errorf("%d tracers are kept", n)
	}
	if forward.Tracer("too many") == nil {
		t.Error("no tracer beyond what is kept")
	}
}

// otherProvider is one that cannot be compared.
type otherProvider struct {
	private.TracerProvider
	_ func()
}

type ofProvider struct {
	private.Span
	provider private.TracerProvider
}

func (s ofProvider) TracerProvider() private.TracerProvider { return s.provider }

func TestProvidersOfSpansAreKept(t *testing.T) {
	_, inner := noop.NewTracerProvider().Tracer("").Start(context.Background(), "x")
	tracerOf := func(provider private.TracerProvider) trace.Tracer {
		return Program(ofProvider{inner, provider}).TracerProvider().Tracer("x")
	}
	pointer := &otherProvider{TracerProvider: noop.NewTracerProvider()}
	if one := tracerOf(pointer); one != tracerOf(pointer) || one == tracerOf(&otherProvider{TracerProvider: noop.NewTracerProvider()}) {
		t.Error("tracers are not those of the span's provider")
	}
	before := len(ofOurs.made)
	for range 100 {
		if tracerOf(otherProvider{TracerProvider: noop.NewTracerProvider()}) == nil {
			t.Error("no tracer")
		}
	}
	if n := len(ofOurs.made); n != before {
		t.Errorf("%d providers are kept that cannot be found again", n-before)
	}
	for range 100 {
		tracerOf(&otherProvider{TracerProvider: noop.NewTracerProvider()})
	}
	if n := len(ofOurs.made); n != ofOurs.bound {
		t.Errorf("%d providers are kept", n)
	}
}
