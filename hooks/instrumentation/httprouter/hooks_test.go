package httprouter

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/julienschmidt/httprouter"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
	"github.com/otelobj/otelobj/hooks/rt/request"
	"github.com/otelobj/otelobj/hooks/rt/request/requesttest"
)

// register calls the hook as (*Router).Handle would in an instrumented program.
func register(router *httprouter.Router, method, path string, handle httprouter.Handle) {
	call := hooktest.New(router, method, path, handle)
	BeforeHandle(call, router, method, path, handle)
	router.Handle(method, path, call.GetParam(3).(httprouter.Handle))
}

func TestRoutes(t *testing.T) {
	router := httprouter.New()
	var params string
	register(router, "GET", "/users/:id", func(_ http.ResponseWriter, _ *http.Request, p httprouter.Params) { params = p.ByName("id") })
	register(router, "GET", "/files/*path", func(_ http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		request.SetRoute(r.Context(), "/inner")
	})
	for target, want := range map[string]string{"/users/7": "/users/:id", "/files/a": "/inner", "/nowhere": ""} {
		server, r := requesttest.New("GET", target)
		server.SetRoute(&request.Route{Pattern: "/outer/"})
		BeforeServe(hooktest.New(), router, nil, r)
		router.ServeHTTP(httptest.NewRecorder(), r)
		if server.Pattern() != want {
			t.Errorf("%s: %q, not %q", target, server.Pattern(), want)
		}
	}
	server, r := requesttest.New("GET", "/nowhere")
	BeforeServe(hooktest.New(), router, nil, r)
	if server.Pattern() != "-" {
		t.Errorf("%q, though a router inside may find one", server.Pattern())
	}
	if params != "7" {
		t.Error("the handle did not get its parameters")
	}
	if handle, _, _ := router.Lookup("GET", "/users/7"); handle == nil {
		t.Error("no handle")
	} else {
		handle(nil, nil, nil) // as the program may
	}
}

// TestNothingToWrap: the router panics as it does without the hook.
func TestNothingToWrap(t *testing.T) {
	call := hooktest.New(nil, "GET", "/", httprouter.Handle(nil))
	BeforeHandle(call, nil, "GET", "/", nil)
	if call.GetParam(3).(httprouter.Handle) != nil {
		t.Error("a handle where there was none")
	}
}

func TestWithoutServer(t *testing.T) {
	call := hooktest.New(nil, "GET", "/", nil)
	BeforeHandle(call, nil, "GET", "/", func(http.ResponseWriter, *http.Request, httprouter.Params) {})
	handle := call.GetParam(3).(httprouter.Handle)
	r := httptest.NewRequest("GET", "/", nil)
	if n := testing.AllocsPerRun(100, func() { handle(nil, r, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
