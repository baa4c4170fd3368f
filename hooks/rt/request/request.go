// Package request is what a router or a framework knows of the instrumentation of the HTTP server that it runs in: it says which route a
// request has taken, and what went wrong.
//
// Instrumentations of servers put a [Server] into the context of each request (net/http does, see hooks/instrumentation/nethttp). The package
// imports nothing but the standard library, so that it exists once in a program, whatever copies of OpenTelemetry there are.
package request

import (
	"context"
	"strings"
)

// Key is the key of a request's [Server] in its context.
type Key struct{}

// Route is what a router has found for a request. It is not changed once it has been handed over.
type Route struct {
	// Pattern is the pattern as the program has registered it, "" if none matched. It is never a part of what the client has sent.
	Pattern string
	// Path is the path that the router has looked at, "" if that is not known. It may be shorter than the client's, because something around the
	// router has cut off a prefix (http.StripPrefix).
	Path string
}

// Server is a request in the eyes of the instrumentation that makes its span. Its methods can be called by any goroutine at any time; when the
// request is over they do nothing.
type Server interface {
	// Route returns what was found last, nil if nothing was yet.
	Route() *Route
	// SetRoute says what was found. A router that is called by another one comes later, so the last one counts.
	SetRoute(found *Route)
	// ReplaceRoute is SetRoute for routers whose pattern is known only when the handler has returned: found counts unless something else than
	// old was found meanwhile, by a router inside.
	ReplaceRoute(old, found *Route)
	// Failed records an error on the span, once if it is reported several times, and leaves the span's status alone.
	Failed(err error)
	// SetError gives the span the status Error. What the status code says does not change the description.
	SetError(description string)
	// StandBack says that the program makes a span for the request itself, from ctx, the request's context. It returns a context without
	// the instrumentation's span, and false if it cannot do without that.
	StandBack(ctx context.Context) (context.Context, bool)
}

// Of returns the request that a context belongs to, nil if there is none that an instrumentation makes a span for.
func Of(ctx context.Context) Server {
	s, _ := ctx.Value(Key{}).(Server)
	return s
}

// SetRoute names the route of the request that ctx belongs to: the complete pattern as the program has registered it, or "" if none matched. It can be called
// several times, by any goroutine: the last one counts. Without such a request it does nothing.
//
// The route goes into the name of the server's span, and as http.route into its attributes and those of the server's metrics. A text that the client has chosen,
// such as the path, must not be one: each would be a time series.
func SetRoute(ctx context.Context, route string) {
	if s := Of(ctx); s != nil {
		s.SetRoute(&Route{Pattern: strings.Clone(route)}) // the argument of a hook may lie on its caller's stack
	}
}
