package gorillamux

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
	"github.com/otelobj/otelobj/hooks/rt/request"
	"github.com/otelobj/otelobj/hooks/rt/request/requesttest"
)

// match calls the hooks as (*Router).Match would in an instrumented program.
func match(router *mux.Router, r *http.Request, m *mux.RouteMatch) bool {
	call := hooktest.New(router, r, m)
	BeforeMatch(call, router, r, m)
	matched := router.Match(r, m)
	AfterMatch(call, matched)
	return matched
}

func router() *mux.Router {
	nothing := func(http.ResponseWriter, *http.Request) {}
	r := mux.NewRouter()
	r.HandleFunc("/users/{id:[0-9]+}", nothing).Methods("GET")
	r.PathPrefix("/api").Subrouter().HandleFunc("/users/{id}", nothing)
	r.Host("example.org").HandlerFunc(nothing)
	r.Path("/without/handler")
	r.PathPrefix("/files/").HandlerFunc(nothing)
	// A router inside that finds something, where the one outside does not.
	nested := mux.NewRouter()
	nested.HandleFunc("/nested/{id}", nothing)
	r.MatcherFunc(func(r *http.Request, m *mux.RouteMatch) bool { return match(nested, r, m) }).Queries("q", "1").HandlerFunc(nothing)
	return r
}

func TestRoutes(t *testing.T) {
	for target, want := range map[string]string{
		"GET /users/7":               "/users/{id:[0-9]+}",
		"POST /users/7":              "",
		"GET /users/x":               "",
		"GET /api/users/7":           "/api/users/{id}",
		"GET /api/x":                 "",
		"GET /files/a/b":             "/files/",
		"GET /without/handler":       "",
		"GET http://example.org/any": "",
		"GET /nested/7":              "",
		"GET /nested/7?q=1":          "/nested/{id}",
	} {
		method, path, _ := strings.Cut(target, " ")
		server, r := requesttest.New(method, path)
		match(router(), r, &mux.RouteMatch{})
		if server.Pattern() != want {
			t.Errorf("%s: %q, not %q", target, server.Pattern(), want)
		}
	}
}

func TestHandlersOfWhatIsNotFound(t *testing.T) {
	r := router()
	r.NotFoundHandler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {})
	r.MethodNotAllowedHandler = r.NotFoundHandler
	for _, target := range []string{"GET /nowhere", "POST /users/7"} {
		method, path, _ := strings.Cut(target, " ")
		server, req := requesttest.New(method, path)
		if !match(r, req, &mux.RouteMatch{}) || server.Pattern() != "" {
			t.Errorf("%s: %q", target, server.Pattern())
		}
	}
}

func TestWithoutServer(t *testing.T) {
	r, m := httptest.NewRequest("GET", "/users/7", nil), &mux.RouteMatch{}
	call := hooktest.New(nil, r, m)
	if n := testing.AllocsPerRun(100, func() {
		BeforeMatch(call, nil, r, m)
		AfterMatch(call, true)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	BeforeMatch(call, nil, nil, nil)
	if request.Of(r.Context()) != nil {
		t.Error("a server")
	}
}
