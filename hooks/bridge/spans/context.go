package spans

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/trace"

	private "otelobj.private/go.opentelemetry.io/otel/trace"
)

// The program's key is the only truth about the span of a context. What the private API sets is set there, as a view; what it looks up is what is
// there: of a view the private span, of any other span a stand-in. So contexts nest, no matter which copy has made them, and none hides another.

// node is a context in which the private API has set a span. It holds the program's view of the span, so that setting one is one allocation.
type node struct {
	context.Context
	view view
}

// Value implements context.Context.
func (n *node) Value(key any) any {
	if key == spanKey {
		return &n.view
	}
	return n.Context.Value(key)
}

// String is what package context writes for a context with a value.
func (n *node) String() string { return fmt.Sprint(n.Context) + ".WithValue(span)" }

// spanKey is the key of the program's API. It is not exported, so a context that is asked for it remembers it.
var spanKey any

func askForKey() any {
	asked := keyRecorder{Context: context.Background()}
	trace.SpanFromContext(&asked)
	return asked.key
}

type keyRecorder struct {
	context.Context
	key any
}

func (r *keyRecorder) Value(key any) any {
	r.key = key
	return nil
}

// set is private.ContextWithSpan.
func set(parent context.Context, span private.Span) context.Context {
	switch s := span.(type) {
	case standIn:
		return trace.ContextWithSpan(parent, s.theirs)
	case nil:
		return trace.ContextWithSpan(parent, nil)
	}
	if parent == nil {
		panic("cannot create context from nil parent") // as context.WithValue does
	}
	return &node{Context: parent, view: view{private: span}}
}

// get is private.SpanFromContext; nil if there is none.
func get(ctx context.Context) private.Span {
	switch s := ctx.Value(spanKey).(type) {
	case *view:
		return s.private
	case trace.Span:
		return standIn{theirs: s}
	}
	return nil
}

// spanContext is private.SpanContextFromContext, without a stand-in.
func spanContext(ctx context.Context) private.SpanContext {
	switch s := ctx.Value(spanKey).(type) {
	case *view:
		return s.private.SpanContext()
	case trace.Span:
		return PrivateContext(s.SpanContext())
	}
	return private.SpanContext{}
}

// Private returns the private API's value for a span of the program's: what a view stands for, or a stand-in. nil stays nil.
func Private(span trace.Span) private.Span {
	switch s := span.(type) {
	case nil:
		return nil
	case *view:
		return s.private
	}
	return standIn{theirs: span}
}

// Program returns the program's value for a private span: what a stand-in stands for, or a view. nil stays nil.
func Program(span private.Span) trace.Span {
	switch s := span.(type) {
	case nil:
		return nil
	case standIn:
		return s.theirs
	}
	return &view{private: span}
}

// ProgramIn is Program for the span of a context: it is the one that the program finds there.
func ProgramIn(ctx context.Context, span private.Span) trace.Span {
	if n, ok := ctx.(*node); ok && identical(&n.view.private, &span) {
		return &n.view
	}
	if ctx != nil {
		if v, ok := ctx.Value(spanKey).(*view); ok && identical(&v.private, &span) {
			return v
		}
	}
	return Program(span)
}
