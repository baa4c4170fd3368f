// Package users is what package hooks/active is for hook packages of the user's own in a program that has OpenTelemetry's API: the same functions, for
// spans of the program's API. Import paths of hooks/active lead here when such a package is compiled.
package users

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	private "otelobj.private/go.opentelemetry.io/otel/trace"

	"otelobj.hooks/github.com/otelobj/otelobj/hooks/active"

	"github.com/otelobj/otelobj/hooks/bridge/spans"
	"github.com/otelobj/otelobj/hooks/rt"
)

// HookContext is what the hooks of hooks/active need of the call they hook.
type HookContext = active.HookContext

// Span is active.Span.
func Span() trace.Span { return spans.Program(active.Span()) }

// Complete is active.Complete.
func Complete(ctx context.Context) context.Context { return active.Complete(ctx) }

// Context is active.Context.
func Context(ctx context.Context) context.Context { return active.Context(ctx) }

// Enter is active.Enter.
func Enter(ctx context.Context, span trace.Span) *rt.Scope {
	return active.Enter(ctx, spans.Private(span))
}

// EnterAlone is active.EnterAlone.
func EnterAlone(ctx context.Context, span trace.Span) *rt.Scope {
	return active.EnterAlone(ctx, spans.Private(span))
}

// Started is active.Started.
func Started(ctx context.Context, span trace.Span) { active.Started(ctx, spans.Private(span)) }

// Ended is active.Ended.
func Ended(span trace.SpanContext) {
	active.Ended(private.NewSpanContext(private.SpanContextConfig{TraceID: private.TraceID(span.TraceID()), SpanID: private.SpanID(span.SpanID())}))
}

// Drop is active.Drop.
func Drop(span trace.Span) { active.Drop(spans.Private(span)) }

// Exclude is active.Exclude.
func Exclude(ctx context.Context) (context.Context, trace.Span) {
	ctx, span := active.Exclude(ctx)
	return ctx, spans.ProgramIn(ctx, span)
}

// IsExcluded is active.IsExcluded.
func IsExcluded(parent trace.Span) bool { return active.IsExcluded(spans.Private(parent)) }

// Stack is active.Stack.
func Stack(pcs []uintptr) string { return active.Stack(pcs) }
