package spans_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	privatesdk "otelobj.private/go.opentelemetry.io/otel/sdk/trace"
	private "otelobj.private/go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/bridge/spans"
)

// What a span costs, made directly with an SDK and through the bridge. Each span is started, gets three attributes, and ends.

type nothing struct{}

func (nothing) OnStart(context.Context, privatesdk.ReadWriteSpan) {}
func (nothing) OnEnd(privatesdk.ReadOnlySpan)                     {}
func (nothing) Shutdown(context.Context) error                    { return nil }
func (nothing) ForceFlush(context.Context) error                  { return nil }

type programNothing struct{}

func (programNothing) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (programNothing) OnEnd(sdk.ReadOnlySpan)                     {}
func (programNothing) Shutdown(context.Context) error             { return nil }
func (programNothing) ForceFlush(context.Context) error           { return nil }

func privateProvider(sampler privatesdk.Sampler) private.TracerProvider {
	return privatesdk.NewTracerProvider(privatesdk.WithSpanProcessor(nothing{}), privatesdk.WithSampler(sampler))
}

func useProgram(b *testing.B, tracer trace.Tracer, opts bool) {
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		var span trace.Span
		if opts {
			_, span = tracer.Start(ctx, "s", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("a", "b"), attribute.Int("n", 1)))
		} else {
			_, span = tracer.Start(ctx, "s")
		}
		span.SetAttributes(attribute.String("k", "v"), attribute.Int("i", 1), attribute.Bool("b", true))
		span.End()
	}
}

func usePrivate(b *testing.B, tracer private.Tracer, opts bool) {
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		var span private.Span
		if opts {
			_, span = tracer.Start(ctx, "s", private.WithSpanKind(private.SpanKindServer), private.WithAttributes(privateattr.String("a", "b"), privateattr.Int("n", 1)))
		} else {
			_, span = tracer.Start(ctx, "s")
		}
		span.SetAttributes(privateattr.String("k", "v"), privateattr.Int("i", 1), privateattr.Bool("b", true))
		span.End()
	}
}

func reconnect(b *testing.B) {
	if !spans.Reconnect() {
		b.Fatal("the API has other layouts")
	}
}

func BenchmarkSpan(b *testing.B) {
	// Direct is the private SDK as its own users have it: the contexts of the bridge are connected for the rest only.
	for _, c := range []struct {
		name    string
		sampler privatesdk.Sampler
		opts    bool
	}{{"recording", privatesdk.AlwaysSample(), false}, {"options", privatesdk.AlwaysSample(), true}, {"dropped", privatesdk.NeverSample(), false}} {
		b.Run("direct/"+c.name, func(b *testing.B) {
			private.SetContextBridge(nil)
			usePrivate(b, privateProvider(c.sampler).Tracer("t"), c.opts)
		})
	}
	reconnect(b)
	for _, c := range []struct {
		name    string
		sampler privatesdk.Sampler
		opts    bool
	}{{"recording", privatesdk.AlwaysSample(), false}, {"options", privatesdk.AlwaysSample(), true}, {"dropped", privatesdk.NeverSample(), false}} {
		b.Run("bridged/"+c.name, func(b *testing.B) {
			var p spans.Providers
			p.SetOurs(privateProvider(c.sampler))
			useProgram(b, p.Forward().Tracer("t"), c.opts)
		})
	}
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(programNothing{}))
	b.Run("program/recording", func(b *testing.B) { useProgram(b, provider.Tracer("t"), false) })
	b.Run("reverse/recording", func(b *testing.B) {
		var p spans.Providers
		p.SetTheirs(provider)
		usePrivate(b, p.Reverse().Tracer("t"), false)
	})
}

func BenchmarkLookup(b *testing.B) {
	reconnect(b)
	var p spans.Providers
	p.SetOurs(privateProvider(privatesdk.AlwaysSample()))
	ctx, _ := p.Forward().Tracer("t").Start(context.Background(), "s")
	deep := context.WithValue(context.WithValue(ctx, key{}, 1), key{}, 2)
	b.Run("program", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			trace.SpanFromContext(deep)
		}
	})
	b.Run("private", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			private.SpanFromContext(deep)
		}
	})
	foreign, _ := sdk.NewTracerProvider().Tracer("t").Start(context.Background(), "s")
	b.Run("stand-in", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			private.SpanFromContext(foreign)
		}
	})
	b.Run("stand-in's context", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			private.SpanContextFromContext(foreign)
		}
	})
	b.Run("direct", func(b *testing.B) {
		private.SetContextBridge(nil)
		ctx, _ := privateProvider(privatesdk.AlwaysSample()).Tracer("t").Start(context.Background(), "s")
		deep := context.WithValue(context.WithValue(ctx, key{}, 1), key{}, 2)
		b.ReportAllocs()
		for b.Loop() {
			private.SpanFromContext(deep)
		}
	})
}
