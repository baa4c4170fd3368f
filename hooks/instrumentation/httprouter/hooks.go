// Package httprouter has the hooks that tell the server's span of httprouter's routes. Spans and metrics are those of net/http.
package httprouter

import (
	"net/http"
	"strings"

	"github.com/julienschmidt/httprouter"

	"github.com/otelobj/otelobj/hooks/rt/request"
)

// Call is what the hooks need of a call.
type Call interface {
	SetParam(idx int, val any)
}

// BeforeHandle runs before httprouter.(*Router).Handle(method, path, handle), which every route goes through. The pattern is known nowhere later, so the
// handle is wrapped: functions cannot be compared, and nothing else can be done with one than to call it.
func BeforeHandle(call Call, _ *httprouter.Router, _, path string, handle httprouter.Handle) {
	if handle == nil || path == "" {
		return // the router's own business
	}
	pattern := strings.Clone(path)
	call.SetParam(3, httprouter.Handle(func(w http.ResponseWriter, r *http.Request, params httprouter.Params) {
		found(r, pattern)
		handle(w, r, params)
	}))
}

// BeforeServe runs before httprouter.(*Router).ServeHTTP(w, r). A route that something around the router has found, such as http.ServeMux, is none of the
// router's: requests that it has no handle for have none. Where nothing was found yet, it may be by a router inside.
func BeforeServe(_ Call, _ *httprouter.Router, _ http.ResponseWriter, r *http.Request) {
	if r == nil {
		return
	}
	if server := request.Of(r.Context()); server != nil && (r.Pattern != "" || server.Route() != nil) {
		server.SetRoute(&none)
	}
}

var none request.Route

func found(r *http.Request, pattern string) {
	if r == nil {
		return
	}
	if server := request.Of(r.Context()); server != nil {
		route := &request.Route{Pattern: pattern}
		if r.URL != nil {
			route.Path = r.URL.Path
		}
		server.SetRoute(route)
	}
}
