package active

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt"
)

// A program with an API of its own has two copies of this package if a hook package of the user's imports it. The copy over the private API does the work, and
// it alone keeps anything in rt. The copy that the user's hook package imports is over the program's API: what it is asked it hands on, with spans
// converted, through the bridge (hooks/bridge/users).

// Through is the copy that does the work, as it looks from a copy over another API.
type Through struct {
	Span              func() trace.Span
	Joined            func(ctx context.Context) (context.Context, bool)
	Context           func(ctx context.Context) context.Context
	Enter, EnterAlone func(ctx context.Context, span trace.Span) *rt.Scope
	Started           func(ctx context.Context, span trace.Span)
	Ended             func(span trace.SpanContext)
	Drop              func(span trace.Span)
	Exclude           func(ctx context.Context) (context.Context, trace.Span)
	IsExcluded        func(parent trace.Span) bool
	Value             func(key any) any
}

// through is nil in the copy that does the work. It is set by an init function; hooks may run before, in init functions of the program's.
var through atomic.Pointer[Through]

// HandOn says that another copy does the work.
func HandOn(to *Through) { through.Store(to) }
