package echov5

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v5"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
	"github.com/otelobj/otelobj/hooks/rt/request/requesttest"
)

func nothing(*echo.Context) error { return nil }

func routes() *echo.Echo {
	e := echo.New()
	e.GET("/users/:id", nothing)
	e.GET("/users/me", nothing)
	e.Group("/v1").GET("/files/*", nothing)
	return e
}

// route calls the hooks as (*DefaultRouter).Route would in an instrumented program.
func route(e *echo.Echo, r *http.Request) *echo.Context {
	c := e.NewContext(r, httptest.NewRecorder())
	call := hooktest.New(e.Router(), c)
	BeforeRoute(call, nil, c)
	AfterRoute(call, e.Router().Route(c))
	return c
}

func TestRoutes(t *testing.T) {
	for path, want := range map[string]string{
		"/users/7":       "/users/:id",
		"/users/me":      "/users/me",
		"/v1/files/a/b":  "/v1/files/*",
		"/nowhere":       "",
		"/":              "",
		"/v1":            "",
		"/users/a%2Fb":   "/users/:id",
		"/nowhere/a%2Fb": "",
	} {
		server, r := requesttest.New("GET", path)
		route(routes(), r)
		if server.Pattern() != want {
			t.Errorf("%s: %q, not %q", path, server.Pattern(), want)
		}
	}
}

// apply calls the hook as applyMiddleware would in an instrumented program.
func apply(h echo.HandlerFunc) echo.HandlerFunc {
	call := hooktest.New(h)
	call.Results = []any{h}
	AfterApplyMiddleware(call, h)
	return call.Results[0].(echo.HandlerFunc)
}

func TestErrors(t *testing.T) {
	server, r := requesttest.New("GET", "/users/7")
	c := route(routes(), r)
	failing := errors.New("failing")
	if err := apply(func(*echo.Context) error { return failing })(c); err != failing { //nolint:errorlint // the very error
		t.Error(err)
	}
	if err := apply(nothing)(c); err != nil {
		t.Error(err)
	}
	if len(server.Errors) != 1 || server.Errors[0] != failing || server.Description != "" { //nolint:errorlint // the very error
		t.Error(server.Errors, server.Description)
	}
	call := hooktest.New()
	call.Results = []any{nil}
	AfterApplyMiddleware(call, nil)
	if call.Results[0] != nil {
		t.Error("a handler where there was none")
	}
}

func TestWithoutServer(t *testing.T) {
	e := routes()
	c := route(e, httptest.NewRequest("GET", "/users/7", nil))
	call := hooktest.New(nil, c)
	h := apply(nothing)
	if n := testing.AllocsPerRun(100, func() {
		BeforeRoute(call, nil, c)
		AfterRoute(call, nil)
		_ = h(c)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	BeforeRoute(call, nil, nil)
}
