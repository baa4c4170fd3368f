// Package active knows the span that is active on each goroutine, so that a span has the right parent even if no context
// was passed.
//
// # Rules
//
//   - The span that a context names is the parent, with one exception: if descendants of it are open on the goroutine, the innermost of
//     them is the parent of spans that hooks start (descent.go). A span that the program starts itself keeps the parent that its context names.
//   - Without a span in the context, the innermost open span of the goroutine is the parent, or the one that was
//     innermost on the goroutine that started this one, for as long as it is open. Baggage goes the same way.
//   - A span that has ended is never a parent, on any goroutine.
//   - Goroutines that work for many requests inherit no span (hooks.go).
//
// Hooks of instrumentations enter and leave their spans by [Context], [Enter] and Leave. Spans that the program starts itself are
// noticed when the SDK starts and ends them, on any goroutine: by hooks in this package or, if the program does not have the SDK, by
// package sdk.
//
// A span that is not sampled counts as open until its scope is left, because spans below it must not be sampled either. One that
// the program started itself never counts, because its end cannot be seen.
//
// The package compiles against old versions of the OpenTelemetry API. Where the program has an API of its own there are two copies: see copies.go.
package active

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt"
)

// held is what rt keeps for this package.
type held struct {
	by   *byte           // first, whatever else a copy has: &owner of the copy that put it there
	ctx  context.Context // with the span, and with its baggage
	span trace.Span
	line *line // its ancestors
}

// owner tells apart what two copies of this package have put into rt: until the bridge has made one hand on to the other (copies.go), both do. They
// are compiled over different APIs, so one must not look at what the other has put there.
var owner byte

// own returns a value of rt's, nil if it is not of this copy.
func own(p unsafe.Pointer) *held {
	if *(**byte)(p) != &owner {
		return nil
	}
	return (*held)(p)
}

// isOpen reports whether a held span may become a parent.
func isOpen(p unsafe.Pointer) bool {
	h := own(p)
	return h != nil && (h.span.IsRecording() || !h.span.SpanContext().IsSampled())
}

// Span returns the span that is active on this goroutine, nil if there is none.
func Span() trace.Span {
	if to := through.Load(); to != nil {
		return to.Span()
	}
	if h := (*held)(rt.Current(isOpen)); h != nil {
		return h.span
	}
	return nil
}

// Value returns what the contexts of the spans that are open on this goroutine, the innermost first, or that it has inherited have for a key; nil if
// none has it. The key must be comparable.
func Value(key any) (found any) {
	if to := through.Load(); to != nil {
		return to.Value(key)
	}
	rt.Search(func(p unsafe.Pointer) bool {
		if isOpen(p) {
			found = own(p).ctx.Value(key)
		}
		return found != nil
	})
	return found
}

// Complete returns ctx if it has a span, else ctx with the goroutine's active span, and with its baggage if ctx has none. It is for spans
// that the program starts itself; those of hooks begin with [Context].
func Complete(ctx context.Context) context.Context {
	ctx, _ = Joined(ctx)
	return ctx
}

// Joined is Complete; it also reports whether something was added.
func Joined(ctx context.Context) (context.Context, bool) {
	if to := through.Load(); to != nil {
		return to.Joined(ctx)
	}
	if ctx == nil || trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, false
	}
	h := (*held)(rt.Current(isOpen))
	if h == nil {
		return ctx, false
	}
	return h.addTo(ctx), true
}

// addTo returns ctx with the span, and with its baggage if ctx has none.
func (h *held) addTo(ctx context.Context) context.Context {
	if baggage.FromContext(ctx).Len() == 0 {
		if b := baggage.FromContext(h.ctx); b.Len() > 0 {
			ctx = baggage.ContextWithBaggage(ctx, b)
		}
	}
	return trace.ContextWithSpan(ctx, h.span)
}

// Enter makes span active on this goroutine, and on those that it starts, until the scope is left. ctx is the span's context.
func Enter(ctx context.Context, span trace.Span) *rt.Scope {
	if to := through.Load(); to != nil {
		return to.Enter(ctx, span)
	}
	if !span.SpanContext().IsValid() {
		return nil
	}
	id := span.SpanContext().TraceID()
	return rt.Enter(unsafe.Pointer(&held{&owner, ctx, span, newLine(span)}), binary.BigEndian.Uint64(id[8:]))
}

// EnterAlone is Enter for this goroutine alone. It is for a span of a library that starts goroutines which outlive it.
func EnterAlone(ctx context.Context, span trace.Span) *rt.Scope {
	if to := through.Load(); to != nil {
		return to.EnterAlone(ctx, span)
	}
	if !span.SpanContext().IsValid() {
		return nil
	}
	return rt.EnterAlone(unsafe.Pointer(&held{&owner, ctx, span, newLine(span)}))
}

// Started makes a span active that the program has started itself.
func Started(ctx context.Context, span trace.Span) {
	if to := through.Load(); to != nil {
		to.Started(ctx, span)
		return
	}
	if ctx != nil && span != nil && span.IsRecording() {
		Enter(ctx, span)
	}
}

// Ended ends what Started began, if that was on this goroutine. Other goroutines notice that the span no longer records.
func Ended(span trace.SpanContext) {
	if to := through.Load(); to != nil {
		to.Ended(span)
		return
	}
	id := span.SpanID()
	rt.Find(func(p unsafe.Pointer) bool { return isOf(p, id) }).End()
}

func isOf(p unsafe.Pointer, id trace.SpanID) bool {
	h := own(p)
	return h != nil && h.span.SpanContext().SpanID() == id
}

var whenDropped atomic.Pointer[func(trace.SpanContext)]

// WhenDropped sets the function that learns of spans which will never be ended: package sdk keeps a list of open ones.
func WhenDropped(f func(trace.SpanContext)) { whenDropped.Store(&f) }

// Drop says that a span will never be ended, because another span describes the same work.
func Drop(span trace.Span) {
	if to := through.Load(); to != nil {
		to.Drop(span)
		return
	}
	if f := whenDropped.Load(); f != nil {
		(*f)(span.SpanContext())
	}
}
