//go:build api

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Made before anybody has set a provider.
var (
	early = otel.Tracer("example.com/shop/early", trace.WithInstrumentationVersion("v0.1.0"), trace.WithSchemaURL("https://example.com/schema"),
		trace.WithInstrumentationAttributes(attribute.String("part", "early")))
	meter     = otel.Meter("example.com/shop", metric.WithInstrumentationVersion("v2.0.0"), metric.WithInstrumentationAttributes(attribute.Bool("shop", true)))
	orders, _ = meter.Int64Counter("shop.orders", metric.WithUnit("{order}"), metric.WithDescription("Orders that were placed."))
	open, _   = meter.Int64UpDownCounter("shop.open", metric.WithUnit("{order}"))
	sizes, _  = meter.Float64Histogram("shop.order.size", metric.WithUnit("By"), metric.WithExplicitBucketBoundaries(10, 100))
	heat, _   = meter.Float64Gauge("shop.temperature", metric.WithUnit("Cel"))
)

func tracer() trace.Tracer { return otel.Tracer("example.com/shop") }

// sees prints what the context holds.
func sees(ctx context.Context, where string) {
	span := trace.SpanFromContext(ctx)
	found := span.SpanContext()
	fmt.Println(where, "valid", found.IsValid(), "sampled", found.IsSampled(), "remote", found.IsRemote(), "recording", span.IsRecording(),
		"state", found.TraceState(), "customer", baggage.FromContext(ctx).Member("customer").Value())
}

func morning(ctx context.Context) {
	sees(ctx, "morning")
	if _, err := meter.Int64ObservableGauge("shop.stock", metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(3, metric.WithAttributes(attribute.String("item", "anvil")))
		return nil
	})); err != nil {
		otel.Handle(err)
	}
	till, err := meter.Float64ObservableCounter("shop.till", metric.WithUnit("EUR"))
	if err != nil {
		otel.Handle(err)
	}
	if _, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveFloat64(till, 12.5)
		return nil
	}, till); err != nil {
		otel.Handle(err)
	}
	heat.Record(ctx, 18.5)
	began := time.Unix(1_700_000_000, 0)
	_, span := early.Start(ctx, "early", trace.WithTimestamp(began), trace.WithAttributes(
		attribute.Bool("b", true), attribute.Int("i", 7), attribute.Float64("f", 0.5), attribute.String("s", "x"),
		attribute.BoolSlice("bs", []bool{true, false}), attribute.IntSlice("is", []int{1, 2}), attribute.Float64Slice("fs", []float64{0.5, 1.5}), attribute.StringSlice("ss", []string{"a", "b"}),
	))
	span.AddEvent("opened", trace.WithTimestamp(began.Add(time.Second)), trace.WithAttributes(attribute.String("door", "front")))
	span.End(trace.WithTimestamp(began.Add(time.Minute)))
}

// look adds to the span of the request.
func look(ctx context.Context, id string) {
	sees(ctx, "look")
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("order.id", id))
	_, span := tracer().Start(ctx, "read", trace.WithSpanKind(trace.SpanKindClient))
	span.SetName("read order")
	span.SetStatus(codes.Ok, "")
	span.End()
	_, span = tracer().Start(context.Background(), "without a context")
	span.End()
}

func place(ctx context.Context, size int, then func(context.Context)) {
	customer, err := baggage.NewMember("customer", "acme")
	if err != nil {
		otel.Handle(err)
	}
	bag, err := baggage.FromContext(ctx).SetMember(customer)
	if err != nil {
		otel.Handle(err)
	}
	ctx, span := tracer().Start(baggage.ContextWithBaggage(ctx, bag), "place", trace.WithLinks(trace.LinkFromContext(ctx, attribute.String("of", "request"))))
	defer span.End()
	open.Add(ctx, 1)
	orders.Add(ctx, 1, metric.WithAttributes(attribute.String("item", "anvil")))
	orders.Add(ctx, 2, metric.WithAttributes(attribute.String("item", "rope")))
	sizes.Record(ctx, float64(size), metric.WithAttributes(attribute.Bool("paid", false)))
	done := make(chan bool)
	go func() {
		defer close(done)
		_, child := span.TracerProvider().Tracer("example.com/shop/worker").Start(ctx, "pack", trace.WithSpanKind(trace.SpanKindInternal))
		child.AddLink(trace.LinkFromContext(ctx))
		child.End()
	}()
	<-done
	then(ctx)
	open.Add(ctx, -1)
}

func count(ctx context.Context, item string) {
	sees(ctx, "count")
	_, span := tracer().Start(ctx, "count", trace.WithAttributes(attribute.String("item", item)))
	span.End()
	_, span = tracer().Start(ctx, "audit", trace.WithNewRoot(), trace.WithLinks(trace.LinkFromContext(ctx)))
	span.End()
}

func refuse(ctx context.Context) {
	_, span := tracer().Start(ctx, "refuse")
	span.RecordError(errors.New("out of order"), trace.WithAttributes(attribute.Int("code", 5)))
	span.SetStatus(codes.Error, "refused")
	span.End()
	trace.SpanFromContext(ctx).AddEvent("refused")
}

// evening hands on the context by hand, as a queue does.
func evening(ctx context.Context, s *shop) {
	state, err := trace.ParseTraceState("shop=1")
	if err != nil {
		otel.Handle(err)
	}
	remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, TraceState: state, Remote: true})
	ctx, span := tracer().Start(trace.ContextWithRemoteSpanContext(ctx, remote), "evening", trace.WithSpanKind(trace.SpanKindProducer))
	header := http.Header{}
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(header))
	there := otel.GetTextMapPropagator().Extract(context.Background(), propagation.HeaderCarrier(header))
	sees(there, "evening")
	_, received := tracer().Start(there, "receive", trace.WithSpanKind(trace.SpanKindConsumer))
	received.End()
	s.do(ctx, http.MethodGet, "/stock/rope", "")
	span.End()
	none := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{3}, SpanID: trace.SpanID{4}, Remote: true})
	ctx, span = tracer().Start(trace.ContextWithRemoteSpanContext(context.Background(), none), "not sampled")
	sees(ctx, "not sampled")
	s.do(ctx, http.MethodGet, "/stock/nail", "")
	span.End()
}
