// Package echov4 has the hooks that tell the server's span of the routes and errors of echo v4. Spans and metrics are those of net/http.
package echov4

import (
	"reflect"
	"unsafe"

	"github.com/labstack/echo/v4"

	"github.com/otelobj/otelobj/hooks/rt/request"
)

// Call is what the hooks need of a call.
type Call interface {
	SetData(any)
	GetData() any
	SetReturnVal(idx int, val any)
}

// of returns the request of a context, nil if there is none.
func of(c echo.Context) request.Server {
	if r := c.Request(); r != nil {
		return request.Of(r.Context())
	}
	return nil
}

// BeforeFind runs before echo.(*Router).Find(method, path, c).
func BeforeFind(call Call, _ *echo.Router, _, _ string, c echo.Context) {
	if c != nil {
		call.SetData(c)
	}
}

// AfterFind runs when it has returned, before any handler.
func AfterFind(call Call) {
	c, ok := call.GetData().(echo.Context)
	if !ok {
		return
	}
	server := of(c)
	if server == nil {
		return
	}
	found := &request.Route{}
	if u := c.Request().URL; u != nil {
		found.Path = u.Path
	}
	if !isUnmatched(c) {
		found.Pattern = c.Path()
	}
	server.SetRoute(found)
}

// isUnmatched reports whether no route has the path of a request. Up to v4.1 the path of such a context is the client's own, not a pattern.
func isUnmatched(c echo.Context) bool {
	path := c.Path()
	if path == "" || reflect.ValueOf(c.Handler()).Pointer() == reflect.ValueOf(echo.NotFoundHandler).Pointer() {
		return true
	}
	u := c.Request().URL
	return u != nil && (isSame(path, u.Path) || isSame(path, u.RawPath))
}

// isSame reports whether two strings are one in memory.
func isSame(a, b string) bool {
	return len(a) == len(b) && unsafe.StringData(a) == unsafe.StringData(b)
}

// AfterApplyMiddleware runs when echo.applyMiddleware(h, middleware...) has returned a handler that calls all of them: the chain of a request, or of a route.
// The result is wrapped, because nobody else than the caller gets the handler's error. Nothing of the program's ever sees the wrapper: what
// Context.Handler returns is not what applyMiddleware has.
func AfterApplyMiddleware(call Call, h echo.HandlerFunc) {
	if h == nil {
		return
	}
	call.SetReturnVal(0, echo.HandlerFunc(func(c echo.Context) error {
		err := h(c)
		if err != nil && c != nil {
			failed(c, err)
		}
		return err
	}))
}

func failed(c echo.Context, err error) {
	if server := of(c); server != nil {
		server.Failed(err)
	}
}

// BeforeMiddleware runs before the handler of otelecho's middleware, which makes the span of the request itself.
func BeforeMiddleware(_ Call, c echo.Context) {
	if c == nil || c.Request() == nil {
		return
	}
	if server := of(c); server != nil {
		if ctx, ok := server.StandBack(c.Request().Context()); ok {
			c.SetRequest(c.Request().WithContext(ctx))
		}
	}
}
