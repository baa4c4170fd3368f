package users

import (
	"context"
	"os"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	private "otelobj.hooks/github.com/otelobj/otelobj/hooks/active"
	privatetrace "otelobj.private/go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
)

func TestMain(m *testing.M) {
	Connect()
	os.Exit(m.Run())
}

// The tests run in a program that otelobj has not linked, so there are no scopes; what is converted shows all the same.

func TestExcludedOnOneSideIsExcludedOnTheOther(t *testing.T) {
	ctx, span := active.Exclude(context.Background())
	if !active.IsExcluded(span) || !active.IsExcluded(trace.SpanFromContext(ctx)) || !private.IsExcluded(privatetrace.SpanFromContext(ctx)) {
		t.Error("excluded by the user, and not on both sides")
	}
	ctx, _ = private.Exclude(context.Background())
	if !active.IsExcluded(trace.SpanFromContext(ctx)) {
		t.Error("excluded by an instrumentation, and not for the user")
	}
	_, other := sdk.NewTracerProvider().Tracer("t").Start(context.Background(), "s")
	if active.IsExcluded(other) {
		t.Error("a span is excluded for no reason")
	}
}

type dropped struct{ id privatetrace.SpanID }

// What the user's copy learns arrives at the copy that does the work, with the same span.
func TestDropArrives(t *testing.T) {
	var got dropped
	private.WhenDropped(func(sc privatetrace.SpanContext) { got.id = sc.SpanID() })
	_, span := sdk.NewTracerProvider().Tracer("t").Start(context.Background(), "s")
	active.Drop(span)
	if got.id.String() != span.SpanContext().SpanID().String() {
		t.Errorf("dropped %v, not %v", got.id, span.SpanContext().SpanID())
	}
}

func TestWithoutAScope(t *testing.T) {
	ctx, span := sdk.NewTracerProvider().Tracer("t").Start(context.Background(), "s")
	if active.Span() != nil {
		t.Error("a span is active in a program that was not linked")
	}
	if active.Complete(ctx) != ctx || active.Context(ctx) != ctx {
		t.Error("a context with a span was changed")
	}
	active.Enter(ctx, span).Leave()
	active.EnterAlone(ctx, span).Leave()
	active.Started(ctx, span)
	active.Ended(span.SpanContext())
}
