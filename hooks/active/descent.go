package active

import (
	"context"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt"
)

// Which span descends from which.
//
// A program often creates a context once and passes it to everything it calls. Spans that hooks have started since are open on the goroutine,
// but the context does not know them. So every span that is active on a goroutine has a line: the IDs of its ancestors, as far as they were active
// on this goroutine or on those that started it. Beyond that, spans that are open anywhere in the program are asked for their parents.
// A span whose ancestors cannot be found in these ways does not count as a descendant, and the context's span is the parent.

// line is one generation. It holds only numbers, so a descendant keeps no ancestor in memory.
type line struct {
	id, parent trace.SpanID // no parent: a root, or nobody knows
	depth      int
	up         *line // of the parent; nil if that is not known
}

// maxLine bounds how many generations a line has, and how far up the search goes: goroutines can start each other without end.
const maxLine = 256

// newLine returns the line of a span that becomes active; nil if the span is not recorded and therefore has no parent.
func newLine(span trace.Span) *line {
	if !span.IsRecording() {
		return nil
	}
	l := &line{id: span.SpanContext().SpanID(), parent: parentOf(span)}
	if !l.parent.IsValid() {
		return l
	}
	if up := known(l.parent); up != nil && up.depth < maxLine {
		l.up, l.depth = up, up.depth+1
	}
	return l
}

// parentOf asks a span of an SDK for its parent, or the SDK, if the program's provider has wrapped the span: that one names no parent, nor does
// what the bridge makes of it.
func parentOf(span trace.Span) (parent trace.SpanID) {
	if s, ok := span.(interface{ Parent() trace.SpanContext }); ok {
		if parent = s.Parent().SpanID(); parent.IsValid() {
			return parent
		}
	}
	if parents := openParents.Load(); parents != nil {
		parent, _ = (*parents)(span.SpanContext().SpanID())
	}
	return parent
}

// known returns the line of a span that is active on this goroutine, or is an ancestor of the innermost one that is.
func known(id trace.SpanID) *line {
	var found *line
	innermost := true
	rt.Search(func(p unsafe.Pointer) bool {
		h := own(p)
		if h == nil {
			return false
		}
		for l := h.line; l != nil && found == nil; l = l.up {
			if l.id == id {
				found = l
			}
			if !innermost {
				break
			}
		}
		innermost = false
		return found != nil
	})
	return found
}

// descendsFrom reports whether a span of this ID is an ancestor.
func (l *line) descendsFrom(id trace.SpanID) bool {
	if l == nil {
		return false
	}
	parent := l.parent
	for ; l != nil; l = l.up {
		if parent = l.parent; parent == id {
			return true
		}
	}
	parents := openParents.Load()
	if parents == nil {
		return false
	}
	for range maxLine {
		above, ok := (*parents)(parent)
		if !ok || above == id {
			return ok
		}
		parent = above
	}
	return false
}

var openParents atomic.Pointer[func(trace.SpanID) (trace.SpanID, bool)]

// AskForParents sets the function that knows the parents of spans which are open anywhere in the program: package sdk keeps a list of them.
func AskForParents(f func(span trace.SpanID) (parent trace.SpanID, ok bool)) { openParents.Store(&f) }

// descendant returns the innermost open span on this goroutine that descends from the one that a context names; nil if there is none.
func descendant(named trace.SpanContext) *held {
	var found *held
	rt.Search(func(p unsafe.Pointer) bool {
		h := own(p)
		if h == nil {
			return false
		}
		sc := h.span.SpanContext()
		if sc.SpanID() == named.SpanID() {
			return true // what is further out does not descend from it
		}
		if sc.TraceID() == named.TraceID() && isOpen(p) && h.line.descendsFrom(named.SpanID()) {
			found = h
		}
		return found != nil
	})
	return found
}

// Context returns ctx with the parent of a span that a hook is about to begin. If ctx names a span, that is the innermost open
// span on this goroutine which descends from the named one, else the named one. If ctx names none, it is the goroutine's active span. Baggage
// is that of ctx or, if ctx has none, that of the span's context.
func Context(ctx context.Context) context.Context {
	if to := through.Load(); to != nil {
		return to.Context(ctx)
	}
	if ctx == nil {
		return nil
	}
	named := trace.SpanContextFromContext(ctx)
	if !named.IsValid() {
		return Complete(ctx)
	}
	if h := descendant(named); h != nil {
		return h.addTo(ctx)
	}
	return ctx
}
