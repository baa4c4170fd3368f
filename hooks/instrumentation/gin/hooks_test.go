package gin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
	"github.com/otelobj/otelobj/hooks/rt/request"
	"github.com/otelobj/otelobj/hooks/rt/request/requesttest"
)

// handle calls the hooks as (*Engine).handleHTTPRequest would in an instrumented program. HandleContext does nothing else than to call that.
func handle(engine *gin.Engine, c *gin.Context) {
	call := hooktest.New(engine, c)
	BeforeHandle(call, engine, c)
	defer AfterHandle(call)
	engine.HandleContext(c)
}

// enter serves a request with the hooks. A context of gin's own is had from the handler of another route.
func enter(r *http.Request, look func(e *gin.Engine, c *gin.Context)) {
	e := engine()
	target := r.URL.Path
	r.URL.Path = "/enter"
	e.GET("/enter", func(c *gin.Context) {
		c.Request.URL.Path = target
		look(e, c)
	})
	e.ServeHTTP(httptest.NewRecorder(), r)
}

func engine() *gin.Engine {
	gin.SetMode(gin.TestMode)
	e := gin.New()
	e.GET("/users/:id", func(c *gin.Context) {})
	e.GET("/old/:id", func(c *gin.Context) {
		c.Request.URL.Path = "/users/" + c.Param("id")
		handle(e, c)
	})
	e.Group("/v1").GET("/files/*path", func(c *gin.Context) {})
	e.GET("/failing", func(c *gin.Context) {
		_ = c.Error(errFirst)
		_ = c.Error(errSecond)
	})
	e.GET("/panicking", func(c *gin.Context) {
		_ = c.Error(errFirst)
		panic("x")
	})
	e.GET("/replacing", func(c *gin.Context) { c.Request = c.Request.WithContext(context.Background()) })
	e.GET("/inner/*path", func(c *gin.Context) { request.SetRoute(c.Request.Context(), "/inner/pattern") })
	return e
}

var errFirst, errSecond = errors.New("first"), errors.New("second")

func TestRoutes(t *testing.T) {
	for path, want := range map[string]string{
		"/users/7":      "/users/:id",
		"/old/7":        "/users/:id",
		"/v1/files/a/b": "/v1/files/*path",
		"/replacing":    "/replacing",
		"/inner/x":      "/inner/pattern",
		"/nowhere":      "",
		"/users/7/":     "",
	} {
		server, r := requesttest.New("GET", path)
		enter(r, handle)
		if server.Pattern() != want {
			t.Errorf("%s: %q, not %q", path, server.Pattern(), want)
		}
		if len(server.Errors) != 0 || server.Description != "" {
			t.Errorf("%s: errors", path)
		}
	}
}

func TestErrors(t *testing.T) {
	server, r := requesttest.New("GET", "/failing")
	texts := ""
	enter(r, func(e *gin.Engine, c *gin.Context) {
		handle(e, c)
		texts = c.Errors.String()
	})
	if len(server.Errors) != 2 || server.Errors[0] != errFirst || server.Errors[1] != errSecond {
		t.Error(server.Errors)
	}
	if texts == "" || server.Description != texts {
		t.Errorf("%q", server.Description)
	}
}

func TestPanic(t *testing.T) {
	server, r := requesttest.New("GET", "/panicking")
	func() {
		defer func() { _ = recover() }()
		enter(r, handle)
	}()
	if server.Pattern() != "/panicking" || len(server.Errors) != 1 {
		t.Error(server.Pattern(), server.Errors)
	}
}

func TestWithoutServer(t *testing.T) {
	e, c := engine(), &gin.Context{Request: httptest.NewRequest("GET", "/users/7", nil)}
	call := hooktest.New(e, c)
	if n := testing.AllocsPerRun(100, func() {
		BeforeHandle(call, e, c)
		AfterHandle(call)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	BeforeHandle(call, e, nil)
	BeforeHandle(call, e, &gin.Context{})
}

func TestOtelgin(t *testing.T) {
	server, r := requesttest.New("GET", "/users/7")
	c := &gin.Context{Request: r}
	BeforeMiddleware(hooktest.New(c), c)
	if !server.StoodBack || request.Of(c.Request.Context()) != nil {
		t.Error("our span is still there")
	}
	BeforeMiddleware(hooktest.New(c), c)
	BeforeMiddleware(nil, nil)
}
