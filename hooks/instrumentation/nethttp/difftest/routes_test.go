package difftest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/instrumentation/nethttp"
	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
	"github.com/otelobj/otelobj/hooks/rt/request"
)

// served is the span of one request to a handler, and the routes that its metrics have.
func served(t *testing.T, path string, handler http.Handler) (span tracetest.SpanStub, routes []string) {
	t.Helper()
	tel := collect(t)
	f := start(t, side{handler: hooked, transport: func(rt http.RoundTripper) http.RoundTripper { return rt }}, plain, handler)
	f.do("GET", path, "")
	span = tel.span(t, trace.SpanKindServer)
	for _, line := range tel.metrics(t) {
		name := strings.Fields(line)[1]
		if !strings.HasPrefix(name, "http.server.") {
			t.Errorf("unexpected %s", name)
		}
		_, rest, _ := strings.Cut(line, "http.route=")
		route, _, _ := strings.Cut(rest, " ")
		routes = append(routes, route)
	}
	if len(routes) != 3 {
		t.Errorf("%d points of metrics", len(routes))
	}
	return span, routes
}

func TestSetRoute(t *testing.T) {
	var late context.Context
	set := func(routes ...string) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			for _, route := range routes {
				nethttp.SetRoute(r.Context(), route)
			}
		})
	}
	found := func(pattern string) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			request.Of(r.Context()).SetRoute(&request.Route{Pattern: pattern, Path: r.URL.Path})
		})
	}
	within := func(pattern string, h http.Handler) http.Handler {
		m := http.NewServeMux()
		m.Handle(pattern, h)
		return m
	}
	for name, c := range map[string]struct {
		handler http.Handler
		path    string
		want    string
	}{
		"a route":                   {set("/items/{id}"), "/items/7", "/items/{id}"},
		"the last one":              {set("/*", "/items/{id}"), "/items/7", "/items/{id}"},
		"none after all":            {set("/items/{id}", ""), "/items/7", ""},
		"in a mux":                  {within("/", set("/items/{id}")), "/items/7", "/items/{id}"},
		"none in a mux":             {within("/items/", set("")), "/items/7", ""},
		"what a mux has":            {within("/items/", set()), "/items/7", "/items/"},
		"a mux's own path":          {within("/items/", set()), "/items/", "/items/"},
		"behind a prefix":           {within("GET /api/", http.StripPrefix("/api", found("/items/{id}"))), "/api/items/7", "/api/items/{id}"},
		"behind a prefix, complete": {within("/api/", http.StripPrefix("/api", set("/items/{id}"))), "/api/items/7", "/items/{id}"},
		"a prefix of the client's":  {within("/{tenant}/", http.StripPrefix("/acme", found("/items/{id}"))), "/acme/items/7", "/items/{id}"},
		"no prefix":                 {within("/", found("/items/{id}")), "/items/7", "/items/{id}"},
		"on a goroutine": {http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			done := make(chan bool)
			go func() {
				defer close(done)
				nethttp.SetRoute(r.Context(), "/items/{id}")
			}()
			<-done
		}), "/items/7", "/items/{id}"},
		"in a context of its own": {http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			late = r.Context()
			ctx, cancel := context.WithCancel(context.WithValue(r.Context(), http.LocalAddrContextKey, 1))
			defer cancel()
			nethttp.SetRoute(ctx, "/items/{id}")
		}), "/items/7", "/items/{id}"},
		"a router outside comes later": {http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			server := request.Of(r.Context())
			before := server.Route()
			nethttp.SetRoute(r.Context(), "/items/{id}")
			server.ReplaceRoute(before, &request.Route{Pattern: "/*"})
		}), "/items/7", "/items/{id}"},
		"a router outside alone": {http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			server := request.Of(r.Context())
			server.ReplaceRoute(server.Route(), &request.Route{Pattern: "/items/{id}"})
		}), "/items/7", "/items/{id}"},
	} {
		t.Run(name, func(t *testing.T) {
			span, routes := served(t, c.path, c.handler)
			if want := strings.TrimSpace("GET " + c.want); span.Name != want {
				t.Errorf("the span is called %q, not %q", span.Name, want)
			}
			on := ""
			for _, kv := range span.Attributes {
				if kv.Key == "http.route" {
					on = kv.Value.AsString()
				}
			}
			if on != c.want {
				t.Errorf("the span has %q, not %q", on, c.want)
			}
			for _, route := range routes {
				if route != c.want {
					t.Errorf("a metric has %q, not %q", route, c.want)
				}
			}
		})
	}
	nethttp.SetRoute(late, "/late") // a handler may keep its context
	request.Of(late).Failed(errors.New("late"))
	nethttp.SetRoute(context.Background(), "/nowhere")
}

// list is an error that cannot be compared.
type list []string

func (l list) Error() string { return strings.Join(l, "; ") }

func TestFailures(t *testing.T) {
	first := errors.New("first")
	span, _ := served(t, "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server := request.Of(r.Context())
		same := error(list{"a", "b"})
		for _, err := range []error{first, same, first, nil, same} {
			server.Failed(err)
		}
		server.SetError("two errors")
		w.WriteHeader(http.StatusInternalServerError)
	}))
	var messages []string
	for _, e := range span.Events {
		if e.Name == "exception" {
			messages = append(messages, attributes(e.Attributes)...)
		}
	}
	want := "exception.message=first exception.type=*errors.errorString exception.message=a; b exception.type=github.com/otelobj/otelobj/hooks/instrumentation/nethttp/difftest.list"
	if got := strings.Join(messages, " "); got != want {
		t.Errorf("events: %s", got)
	}
	if span.Status.Code != codes.Error || span.Status.Description != "two errors" {
		t.Errorf("status: %+v", span.Status)
	}
	span, _ = served(t, "/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		request.Of(r.Context()).Failed(first)
		for range 1000 {
			request.Of(r.Context()).Failed(errors.New("more"))
		}
	}))
	if len(span.Events) != 128 || span.DroppedEvents != 0 {
		t.Errorf("%d events, and %d more", len(span.Events), span.DroppedEvents)
	}
	if span.Status.Code != codes.Unset {
		t.Errorf("status: %+v", span.Status)
	}
}

// TestStandingBack: a middleware of the program's own makes the span.
func TestStandingBack(t *testing.T) {
	tel := collect(t)
	own := func(ctx context.Context) {
		_, span := otel.GetTracerProvider().Tracer("program").Start(ctx, "own", trace.WithSpanKind(trace.SpanKindServer))
		span.End()
	}
	m := http.NewServeMux()
	m.HandleFunc("/framework", func(_ http.ResponseWriter, r *http.Request) {
		server := request.Of(r.Context())
		ctx, ok := server.StandBack(r.Context())
		if !ok || trace.SpanContextFromContext(ctx).IsValid() {
			t.Error("our span is still there")
		}
		own(ctx)
		server.SetRoute(&request.Route{Pattern: "/x"})
		server.Failed(errors.New("x"))
		server.SetError("x")
		if _, ok = server.StandBack(ctx); ok {
			t.Error("stood back twice")
		}
	})
	m.HandleFunc("/middleware", func(w http.ResponseWriter, r *http.Request) {
		ictx := hooktest.New(nil, w, r)
		nethttp.BeforeMiddleware(ictx, nil, w, r)
		own(ictx.GetParam(2).(*http.Request).Context())
	})
	f := start(t, side{handler: hooked, transport: func(rt http.RoundTripper) http.RoundTripper { return rt }}, plain, m)
	f.do("GET", "/framework", "")
	f.do("GET", "/middleware", "")
	for _, line := range tel.dump(t, 2) {
		if !strings.HasPrefix(line, "span server(own) parent= ") {
			t.Error(line)
		}
	}
}
