package difftest

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/instrumentation/nethttp"
	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// yieldingHandler and yieldingTransport are otelhttp as it is in an instrumented program: with our hooks around it and in it.
func yieldingHandler(wrap func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		inner := sides[0].handler(h)
		return hooked(wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ictx := hooktest.New(nil, w, r, inner)
			nethttp.BeforeOtelhttpServeHTTP(ictx, nil, w, r, inner)
			inner.ServeHTTP(w, ictx.GetParam(2).(*http.Request))
		})))
	}
}

type yieldingTransport struct{ otelhttp http.RoundTripper }

func (y yieldingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ictx := hooktest.New(nil, r)
	nethttp.BeforeOtelhttpRoundTrip(ictx, nil, r)
	return y.otelhttp.RoundTrip(ictx.GetParam(1).(*http.Request))
}

// TestOtelhttpInTheProgram: what comes out is what comes out of the plain program.
func TestOtelhttpInTheProgram(t *testing.T) {
	same := func(h http.Handler) http.Handler { return h }
	derive := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, "x")))
		})
	}
	for name, wrap := range map[string]func(http.Handler) http.Handler{"outermost": same, "behind middleware": derive} {
		t.Run(name, func(t *testing.T) {
			var dumps [2]string
			for i, s := range []side{
				sides[0],
				{handler: yieldingHandler(wrap), transport: func(rt http.RoundTripper) http.RoundTripper {
					return yieldingTransport{otelhttp.NewTransport(hookedTransport{rt})}
				}},
			} {
				tel := collect(t)
				f := start(t, s, plain, mux())
				f.do("GET", "/ok/1", "")
				f.do("POST", "/echo", "hello")
				dumps[i] = strings.Join(tel.dump(t, 4), "\n")
			}
			if dumps[0] != dumps[1] {
				t.Errorf("plain:\n%s\ninstrumented:\n%s", dumps[0], dumps[1])
			}
		})
	}
}

// TestSpanBetween: a span of the program's that has ours as its parent must not lose it.
func TestSpanBetween(t *testing.T) {
	tel := collect(t)
	f := start(t, side{transport: hooksSide.transport, handler: yieldingHandler(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			span := trace.SpanFromContext(r.Context())
			ctx, own := span.TracerProvider().Tracer("program").Start(r.Context(), "middleware")
			defer own.End()
			h.ServeHTTP(w, r.WithContext(ctx))
		})
	})}, plain, mux())
	f.do("GET", "/ok/1", "")
	for _, l := range tel.dump(t, 4) {
		if strings.Contains(l, "internal(middleware)") && !strings.Contains(l, "parent=server(GET /ok/{id})") && !strings.Contains(l, "parent=server(GET)") {
			t.Error(l)
		}
	}
}

func TestExportIsSilent(t *testing.T) {
	tel := collect(t)
	f := start(t, hooksSide, plain, mux())
	ictx := hooktest.New(nil, context.Background(), nil)
	nethttp.BeforeExport(ictx, nil, context.Background(), nil)
	f.do("GET", "/ok/1", "", func(r *http.Request) { *r = *r.WithContext(ictx.GetParam(1).(context.Context)) })
	if s := tel.span(t, trace.SpanKindServer); s.Parent.IsValid() {
		t.Error("the request bore a trace context")
	}
	tel.dump(t, 1)
}
