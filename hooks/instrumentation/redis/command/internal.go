package command

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
)

// internal is the parent of what the library does on its own with a context that it makes itself.
var internal = func() trace.Span {
	_, span := active.Exclude(context.Background())
	return span
}()

// EnterInternal makes commands of this goroutine silent until the scope is left, where their context names no span.
func EnterInternal() *rt.Scope {
	return active.EnterAlone(context.Background(), internal)
}

func isInternal(parent trace.Span) bool { return words(&parent) == words(&internal) }
