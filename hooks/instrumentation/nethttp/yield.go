package nethttp

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt/contexts"
)

// Requests that are traced by other code (otelhttp), or should not be traced (exporters).

type quietKey struct{}

// quietContext silences the client hooks for requests that are made with it.
type quietContext struct{ context.Context }

// Value implements context.Context.
func (c quietContext) Value(key any) any {
	if key == (quietKey{}) {
		return true
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer.
func (c quietContext) String() string { return contexts.Name(c.Context) }

func isQuiet(ctx context.Context) bool { return ctx.Value(quietKey{}) != nil }

// BeforeExport runs before the function of an exporter that sends telemetry; ctx is its first parameter after the receiver, and
// the context of the request it makes. A request of the exporter's must not make a span that must be exported in turn.
func BeforeExport(ictx HookContext, _ interface{}, ctx context.Context, _ interface{}) {
	if ctx != nil {
		ictx.SetParam(1, contexts.Offering(quietContext{ctx}, ctx))
	}
}

// BeforeOtelhttpRoundTrip runs before otelhttp.(*Transport).RoundTrip(req): the program traces this request itself.
func BeforeOtelhttpRoundTrip(ictx HookContext, _ interface{}, req *http.Request) {
	if req != nil {
		ictx.SetParam(1, req.WithContext(contexts.Offering(quietContext{req.Context()}, req.Context())))
	}
}

// BeforeOtelhttpServeHTTP runs before otelhttp's server middleware, serveHTTP(w, req, next): the program traces this request
// itself. Our span is dropped and hidden, so that the program's has the parent that it would have had.
func BeforeOtelhttpServeHTTP(ictx HookContext, _ interface{}, _ http.ResponseWriter, req *http.Request, _ http.Handler) {
	yieldTo(ictx, req)
}

// yieldTo drops our span before a handler with the parameters (w, req) and a receiver.
func yieldTo(ictx HookContext, req *http.Request) {
	if req == nil {
		return
	}
	ctx := req.Context()
	c, ok := ctx.Value(serverKey{}).(*serverCall)
	if !ok {
		return
	}
	if !c.standBack(ctx) || ctx == context.Context(c) && setContext(req, c.outer) {
		return
	}
	ictx.SetParam(2, req.WithContext(c.without(ctx)))
}

// outerSpan returns the span of a context, nil if it has none.
func outerSpan(ctx context.Context) trace.Span {
	if span := trace.SpanFromContext(ctx); span.SpanContext().IsValid() {
		return span
	}
	return nil
}
