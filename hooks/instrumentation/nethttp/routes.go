package nethttp

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"unsafe"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt/request"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// SetRoute names the route of the request that ctx belongs to: see request.SetRoute, which is the same and imports nothing of OpenTelemetry.
//
// Spans of the program's own, such as those of otelhttp, are left as they are: where the program has one for the request, ours is not
// there, and SetRoute does nothing.
func SetRoute(ctx context.Context, route string) { request.SetRoute(ctx, route) }

// A serverCall is what routers know of a request.
var _ request.Server = (*serverCall)(nil)

// Route implements request.Server.
func (c *serverCall) Route() *request.Route { return c.found.Load() }

// SetRoute implements request.Server.
func (c *serverCall) SetRoute(found *request.Route) { c.found.Store(found) }

// ReplaceRoute implements request.Server.
func (c *serverCall) ReplaceRoute(old, found *request.Route) { c.found.CompareAndSwap(old, found) }

// pattern returns the route of the request: what the innermost router has found, else what http.ServeMux has. It is called when the request is over.
func (c *serverCall) pattern() string { return sanitize.Text(c.fullPattern()) }

func (c *serverCall) fullPattern() string {
	outer := route(registered(c.req))
	found := c.found.Load()
	if found == nil {
		return outer
	}
	if found.Pattern == "" || c.req.URL == nil {
		return found.Pattern
	}
	return stripped(c.req.URL.Path, found.Path, outer) + found.Pattern
}

// registered returns the pattern of http.ServeMux that a request has matched. Where http.ServeMux redirects to the same path with a slash at the end, it says
// that this path, which the client has chosen, is the pattern: for CONNECT in every version, for all methods before Go 1.25 ((*ServeMux).findHandler,
// net/http/server.go).
func registered(req *http.Request) string {
	pattern := req.Pattern
	if !strings.HasPrefix(pattern, "/") || hasMatched(req) || knowsRedirects() && req.Method != http.MethodConnect || req.URL == nil {
		return pattern
	}
	if path.Clean(pattern) == path.Clean("/"+req.URL.Path) {
		return ""
	}
	return pattern
}

// knowsRedirects reports whether http.ServeMux says by which pattern it redirects.
var knowsRedirects = sync.OnceValue(func() bool {
	const pattern = "/{any}/"
	mux := http.NewServeMux()
	mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	_, found := mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/any"}})
	return found == pattern
})

// stripped returns what http.StripPrefix has cut off a path: only what the pattern of http.ServeMux begins with, so that it is the program's and not
// the client's.
func stripped(path, rest, pattern string) string {
	prefix, ok := strings.CutSuffix(path, rest)
	if !ok || rest == "" || !strings.HasPrefix(pattern, prefix) {
		return ""
	}
	return pattern[:len(prefix)]
}

// failures are the errors that have been recorded for a request.
type failures struct {
	sync.Mutex
	recorded  [][2]unsafe.Pointer // the words of the errors, which need not be comparable
	described bool                // the span's status has a description
}

// mostFailures bounds how many errors are recorded. The SDK keeps 128 events unless asked for more.
const mostFailures = 128

func (c *serverCall) failed() *failures {
	f := c.failures.Load()
	if f == nil {
		c.failures.CompareAndSwap(nil, &failures{})
		f = c.failures.Load()
	}
	return f
}

// Failed implements request.Server.
func (c *serverCall) Failed(err error) {
	if err == nil || c.quiet.Load() || !c.span.IsRecording() {
		return
	}
	if c.failed().add(words(&err)) {
		c.span.AddEvent(eventException, trace.WithAttributes(exception(err)...))
	}
}

// add reports whether an error is a new one.
func (f *failures) add(words [2]unsafe.Pointer) bool {
	f.Lock()
	defer f.Unlock()
	for _, one := range f.recorded {
		if one == words {
			return false
		}
	}
	if len(f.recorded) == mostFailures {
		return false
	}
	f.recorded = append(f.recorded, words)
	return true
}

// SetError implements request.Server.
func (c *serverCall) SetError(description string) {
	if c.quiet.Load() || !c.span.IsRecording() {
		return
	}
	f := c.failed()
	f.Lock()
	defer f.Unlock()
	f.described = true
	c.span.SetStatus(codes.Error, sanitize.Message(strings.Clone(description)))
}

// described reports whether the status of the span has a description already.
func (c *serverCall) described() bool {
	f := c.failures.Load()
	if f == nil {
		return false
	}
	f.Lock()
	defer f.Unlock()
	return f.described
}

// StandBack implements request.Server.
func (c *serverCall) StandBack(ctx context.Context) (context.Context, bool) {
	if !c.standBack(ctx) {
		return ctx, false
	}
	return c.without(ctx), true
}

// without returns a context that begins with ours as it would be without us: what was added is kept, and what we have replaced is put back.
func (c *serverCall) without(ctx context.Context) context.Context {
	ctx = trace.ContextWithSpan(ctx, outerSpan(c.outer))
	return baggage.ContextWithBaggage(ctx, baggage.FromContext(c.outer))
}

// standBack drops our span, because the program traces this request itself. ctx: the request's context. It returns false if our span has a child, which must not
// lose its parent; metrics are dropped all the same.
func (c *serverCall) standBack(ctx context.Context) bool {
	c.quietMetrics.Store(true)
	if !trace.SpanContextFromContext(ctx).Equal(c.span.SpanContext()) { // a span itself need not be comparable
		return false
	}
	c.quiet.Store(true)
	c.scope.Leave()
	return true
}

// BeforeMiddleware runs before ServeHTTP(w, r) of a middleware that makes the span of a request, such as otelmux's. Its receiver is a struct of the
// middleware's own.
func BeforeMiddleware(ictx HookContext, _ interface{}, _ http.ResponseWriter, req *http.Request) {
	yieldTo(ictx, req)
}
