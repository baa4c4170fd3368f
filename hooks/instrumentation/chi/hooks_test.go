package chi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
	"github.com/otelobj/otelobj/hooks/rt/request"
	"github.com/otelobj/otelobj/hooks/rt/request/requesttest"
)

// hooked calls the hooks as (*Mux).routeHTTP would in an instrumented program. A router without middleware does nothing else when there is a
// routing context.
func hooked(mx *chi.Mux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call := hooktest.New(mx, w, r)
		BeforeRoute(call, mx, w, r)
		defer AfterRoute(call)
		mx.ServeHTTP(w, r)
	}
}

func routes() http.HandlerFunc {
	nothing := func(http.ResponseWriter, *http.Request) {}
	inner := chi.NewRouter()
	inner.Get("/users/{id}", nothing)
	inner.Get("/", nothing)
	outer := chi.NewRouter()
	outer.Get("/users/{id}", nothing)
	outer.Get("/panicking/{id}", func(http.ResponseWriter, *http.Request) { panic("x") })
	outer.Mount("/api", hooked(inner))
	outer.Mount("/files", http.HandlerFunc(nothing))
	outer.Handle("/other/*", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { request.SetRoute(r.Context(), "/other/pattern") }))
	outer.NotFound(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fallback" {
			request.SetRoute(r.Context(), "/fallback/pattern")
		}
	})
	return hooked(outer)
}

func serve(r *http.Request) {
	ctx := context.WithValue(r.Context(), chi.RouteCtxKey, chi.NewRouteContext())
	routes()(httptest.NewRecorder(), r.WithContext(ctx))
}

func TestRoutes(t *testing.T) {
	for target, want := range map[string]string{
		"GET /users/7":      "/users/{id}",
		"GET /api/users/7":  "/api/users/{id}",
		"GET /api/":         "/api",
		"GET /api/x/y":      "",
		"POST /api/users/7": "",
		"GET /files/a":      "/files/*",
		"GET /other/x":      "/other/pattern",
		"GET /nowhere":      "",
		"GET /fallback":     "/fallback/pattern",
		"POST /users/7":     "",
	} {
		method, path, _ := strings.Cut(target, " ")
		server, r := requesttest.New(method, path)
		serve(r)
		if server.Pattern() != want {
			t.Errorf("%s: %q, not %q", target, server.Pattern(), want)
		}
	}
}

func TestPanic(t *testing.T) {
	server, r := requesttest.New("GET", "/panicking/7")
	func() {
		defer func() { _ = recover() }()
		serve(r)
	}()
	if server.Pattern() != "/panicking/{id}" {
		t.Error(server.Pattern())
	}
}

func TestWithoutServer(t *testing.T) {
	r := httptest.NewRequest("GET", "/users/7", nil)
	r = r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, chi.NewRouteContext()))
	call := hooktest.New(nil, nil, r)
	if n := testing.AllocsPerRun(100, func() {
		BeforeRoute(call, nil, nil, r)
		AfterRoute(call)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	_, r = requesttest.New("GET", "/users/7")
	BeforeRoute(call, nil, nil, r) // without a routing context chi itself panics
	BeforeRoute(call, nil, nil, nil)
	AfterRoute(call)
}
