// Package users makes package hooks/active of the user's hook packages, which is compiled against the program's API, hand on to the copy over the private
// API, which does the work.
package users

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	private "otelobj.hooks/github.com/otelobj/otelobj/hooks/active"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/bridge/spans"
	"github.com/otelobj/otelobj/hooks/rt"
)

func init() {
	if rt.Linked() {
		Connect()
	}
}

// Connect does that. Where spans cannot be bridged, that copy knows of none, and keeps nothing.
func Connect() {
	if !spans.Connect() {
		active.HandOn(&nothing)
		return
	}
	active.HandOn(&active.Through{
		Span:    func() trace.Span { return spans.Program(private.Span()) },
		Joined:  private.Joined,
		Context: private.Context,
		Enter:   func(ctx context.Context, span trace.Span) *rt.Scope { return private.Enter(ctx, spans.Private(span)) },
		EnterAlone: func(ctx context.Context, span trace.Span) *rt.Scope {
			return private.EnterAlone(ctx, spans.Private(span))
		},
		Started: func(ctx context.Context, span trace.Span) { private.Started(ctx, spans.Private(span)) },
		Ended:   func(span trace.SpanContext) { private.Ended(spans.PrivateContext(span)) },
		Drop:    func(span trace.Span) { private.Drop(spans.Private(span)) },
		Exclude: func(ctx context.Context) (context.Context, trace.Span) {
			ctx, span := private.Exclude(ctx)
			return ctx, spans.ProgramIn(ctx, span)
		},
		IsExcluded: func(parent trace.Span) bool { return private.IsExcluded(spans.Private(parent)) },
		Value:      private.Value,
	})
}

var nothing = active.Through{
	Span:       func() trace.Span { return nil },
	Joined:     func(ctx context.Context) (context.Context, bool) { return ctx, false },
	Context:    func(ctx context.Context) context.Context { return ctx },
	Enter:      func(context.Context, trace.Span) *rt.Scope { return nil },
	EnterAlone: func(context.Context, trace.Span) *rt.Scope { return nil },
	Started:    func(context.Context, trace.Span) {},
	Ended:      func(trace.SpanContext) {},
	Drop:       func(trace.Span) {},
	Exclude:    func(ctx context.Context) (context.Context, trace.Span) { return ctx, trace.SpanFromContext(ctx) },
	IsExcluded: func(trace.Span) bool { return false },
	Value:      func(any) any { return nil },
}
