// Package chi has the hooks that tell the server's span of chi's routes. Spans and metrics are those of net/http.
package chi

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/otelobj/otelobj/hooks/rt/request"
)

// Call is what the hooks need of a call.
type Call interface {
	SetData(any)
	GetData() any
}

// serving is a call of routeHTTP: one for each router that a request goes through.
type serving struct {
	server   request.Server
	context  *chi.Context
	patterns int            // how many patterns had been matched when the call began
	before   *request.Route // what was known then
	found    request.Route
}

// BeforeRoute runs before chi.(*Mux).routeHTTP(w, r).
func BeforeRoute(call Call, _ *chi.Mux, _ http.ResponseWriter, r *http.Request) {
	if r == nil {
		return
	}
	server, rctx := request.Of(r.Context()), chi.RouteContext(r.Context())
	if server == nil || rctx == nil {
		return
	}
	s := &serving{server: server, context: rctx, patterns: len(rctx.RoutePatterns), before: server.Route()}
	if r.URL != nil {
		s.found.Path = r.URL.Path // Mount leaves it whole
	}
	call.SetData(s)
}

// AfterRoute runs when the handler has returned, or was unwound. The routers inside come first, and know more: a router that mounts another one has
// found a pattern that ends in /* even if that one has found none.
func AfterRoute(call Call) {
	s, ok := call.GetData().(*serving)
	if !ok {
		return
	}
	if s.server.Route() == s.before {
		if len(s.context.RoutePatterns) > s.patterns {
			s.found.Pattern = strings.TrimSuffix(s.context.RoutePattern(), "//") // what old releases say of the / of a router that is mounted
		}
		s.server.ReplaceRoute(s.before, &s.found)
	}
	s.context = nil // chi uses it for other requests, and the route may be kept
}
