// Package echov5 has the hooks that tell the server's span of the routes and errors of echo v5. Spans and metrics are those of net/http.
package echov5

import (
	"github.com/labstack/echo/v5"

	"github.com/otelobj/otelobj/hooks/rt/request"
)

// Call is what the hooks need of a call.
type Call interface {
	SetData(any)
	GetData() any
	SetReturnVal(idx int, val any)
}

// of returns the request of a context, nil if there is none.
func of(c *echo.Context) request.Server {
	if c == nil || c.Request() == nil {
		return nil
	}
	return request.Of(c.Request().Context())
}

// BeforeRoute runs before echo.(*DefaultRouter).Route(c). The other routers of echo call that one.
func BeforeRoute(call Call, _ *echo.DefaultRouter, c *echo.Context) {
	if of(c) != nil {
		call.SetData(c)
	}
}

// AfterRoute runs when it has returned, before any handler.
func AfterRoute(call Call, _ echo.HandlerFunc) {
	c, ok := call.GetData().(*echo.Context)
	if !ok {
		return
	}
	if server := of(c); server != nil {
		found := &request.Route{Pattern: c.Path()}
		if u := c.Request().URL; u != nil {
			found.Path = u.Path
		}
		server.SetRoute(found)
	}
}

// AfterApplyMiddleware runs when echo.applyMiddleware(h, middleware...) has returned a handler that calls all of them: the chain of a request, or of a route.
// The result is wrapped, because nobody else than the caller gets the handler's error. Functions cannot be compared, and echo does nothing else with
// this one than to call it.
func AfterApplyMiddleware(call Call, h echo.HandlerFunc) {
	if h == nil {
		return
	}
	call.SetReturnVal(0, echo.HandlerFunc(func(c *echo.Context) error {
		err := h(c)
		if err != nil {
			failed(c, err)
		}
		return err
	}))
}

func failed(c *echo.Context, err error) {
	if server := of(c); server != nil {
		server.Failed(err)
	}
}

// BeforeMiddleware runs before the handler of echo-otel's middleware, which makes the span of the request itself.
func BeforeMiddleware(_ Call, c *echo.Context) {
	if server := of(c); server != nil {
		if ctx, ok := server.StandBack(c.Request().Context()); ok {
			c.SetRequest(c.Request().WithContext(ctx))
		}
	}
}
