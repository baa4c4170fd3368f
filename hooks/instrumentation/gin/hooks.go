// Package gin has the hooks that tell the server's span of gin's routes and errors. Spans and metrics are those of net/http.
package gin

import (
	"github.com/gin-gonic/gin"

	"github.com/otelobj/otelobj/hooks/rt/request"
)

// Call is what the hooks need of a call.
type Call interface {
	SetData(any)
	GetData() any
}

// serving is a call of handleHTTPRequest.
type serving struct {
	server  request.Server
	context *gin.Context
	before  *request.Route // what was known when the call began
	found   request.Route
}

// BeforeHandle runs before gin.(*Engine).handleHTTPRequest(c). The request is looked up here: a handler may put another one into its place.
func BeforeHandle(call Call, _ *gin.Engine, c *gin.Context) {
	if c == nil || c.Request == nil {
		return
	}
	if server := request.Of(c.Request.Context()); server != nil {
		s := &serving{server: server, context: c, before: server.Route()}
		if c.Request.URL != nil {
			s.found.Path = c.Request.URL.Path
		}
		call.SetData(s)
	}
}

// AfterHandle runs when the handlers have returned, or were unwound. handleHTTPRequest is called again within itself by (*Engine).HandleContext: the
// inner call comes first, and what it has said counts.
func AfterHandle(call Call) {
	s, ok := call.GetData().(*serving)
	if !ok {
		return
	}
	c := s.context
	s.found.Pattern = c.FullPath()
	s.server.ReplaceRoute(s.before, &s.found)
	for _, err := range c.Errors {
		s.server.Failed(err.Err)
	}
	if len(c.Errors) > 0 {
		s.server.SetError(c.Errors.String())
	}
	s.context = nil // gin uses it for other requests, and the route may be kept
}

// BeforeMiddleware runs before the handler of otelgin's middleware, which makes the span of the request itself.
func BeforeMiddleware(_ Call, c *gin.Context) {
	if c == nil || c.Request == nil {
		return
	}
	if server := request.Of(c.Request.Context()); server != nil {
		if ctx, ok := server.StandBack(c.Request.Context()); ok {
			c.Request = c.Request.WithContext(ctx)
		}
	}
}
