// Package gorillamux has the hooks that tell the server's span of gorilla/mux's routes. Spans and metrics are those of net/http.
package gorillamux

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/otelobj/otelobj/hooks/rt/request"
)

// Call is what the hooks need of a call.
type Call interface {
	SetData(any)
	GetData() any
}

// matching is a call of Match: one for each router that a request is tried with.
type matching struct {
	server request.Server
	match  *mux.RouteMatch
	found  request.Route
}

// BeforeMatch runs before mux.(*Router).Match(req, match).
func BeforeMatch(call Call, _ *mux.Router, req *http.Request, match *mux.RouteMatch) {
	if req == nil || match == nil {
		return
	}
	if server := request.Of(req.Context()); server != nil {
		m := &matching{server: server, match: match}
		if req.URL != nil {
			m.found.Path = req.URL.Path
		}
		call.SetData(m)
	}
}

// AfterMatch runs when it has returned, before the handler. A router inside comes first: what it has found does not count unless the one outside has found it, too.
func AfterMatch(call Call, matched bool) {
	m, ok := call.GetData().(*matching)
	if !ok {
		return
	}
	if r := m.match; matched && r.MatchErr == nil && r.Handler != nil && r.Route != nil {
		m.found.Pattern, _ = r.Route.GetPathTemplate() // an error: the route has no path, but a host, for example
	}
	m.match = nil
	m.server.SetRoute(&m.found)
}
