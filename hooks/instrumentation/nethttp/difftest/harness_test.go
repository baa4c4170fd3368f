package difftest

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/otelobj/otelobj/hooks/instrumentation/nethttp"
	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// telemetry collects what one side of a comparison emits.
type telemetry struct {
	spans  *tracetest.InMemoryExporter
	reader *metric.ManualReader
}

// collect makes fresh global providers.
func collect(t *testing.T, opts ...sdktrace.TracerProviderOption) *telemetry {
	t.Helper()
	tel := &telemetry{spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	otel.SetTracerProvider(sdktrace.NewTracerProvider(append(opts, sdktrace.WithSyncer(tel.spans))...))
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(tel.reader)))
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	return tel
}

// hooked calls handler as net/http's serverHandler would in an instrumented program.
func hooked(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		ictx := hooktest.New(nil, rw, req)
		nethttp.BeforeServeHTTP(ictx, nil, rw, req)
		returned := false
		defer func() {
			if !returned {
				ictx.DidUnwind = true
				ictx.PanicValue = recover()
				ictx.Goexit = ictx.PanicValue == nil
			}
			nethttp.AfterServeHTTP(ictx)
			if ictx.PanicValue != nil {
				panic(ictx.PanicValue)
			}
		}()
		handler.ServeHTTP(rw, ictx.GetParam(2).(*http.Request))
		returned = true
	})
}

// hookedTransport calls a transport as an instrumented program would.
type hookedTransport struct{ base http.RoundTripper }

func (h hookedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ictx := hooktest.New(nil, req)
	nethttp.BeforeRoundTrip(ictx, nil, req)
	resp, err := h.base.RoundTrip(ictx.GetParam(1).(*http.Request))
	ictx.Results = []any{resp, err}
	nethttp.AfterRoundTrip(ictx, resp, err)
	return resp, err
}

// patience is how long a span that has to come is waited for: it is there at once, unless the machine has other things to do.
const patience = 5 * time.Minute

// side is one of the two ways to instrument.
type side struct {
	name      string
	handler   func(http.Handler) http.Handler
	transport func(http.RoundTripper) http.RoundTripper
}

var sides = []side{
	{"otelhttp", func(h http.Handler) http.Handler {
		return otelhttp.NewHandler(h, "", otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			return strings.TrimSpace(r.Method + " " + route(r))
		}), otelhttp.WithMetricAttributesFn(func(r *http.Request) []attribute.KeyValue {
			if route(r) == "" {
				return nil
			}
			return []attribute.KeyValue{attribute.String("http.route", route(r))}
		}))
	}, func(rt http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(rt) }},
	{"hooks", hooked, func(rt http.RoundTripper) http.RoundTripper { return hookedTransport{rt} }},
}

// route is what newer versions of otelhttp do by themselves.
func route(r *http.Request) string {
	if i := strings.IndexByte(r.Pattern, '/'); i >= 0 {
		return r.Pattern[i:]
	}
	return ""
}

// fixture is a server and a client of one side.
type fixture struct {
	t      *testing.T
	url    string
	client *http.Client
	server *httptest.Server
}

// expiring is a context whose deadline passes when ended is closed.
type expiring struct {
	context.Context
	ended <-chan struct{}
}

func (c expiring) Done() <-chan struct{} { return c.ended }

func (c expiring) Err() error {
	select {
	case <-c.ended:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// slow is where the handler of /slow tells that it has got a request.
var slow = make(chan struct{}, 1)

type proto int

const (
	plain proto = iota
	overTLS
	http2
)

func start(t *testing.T, s side, p proto, handler http.Handler) *fixture {
	t.Helper()
	srv := httptest.NewUnstartedServer(s.handler(handler))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	switch p {
	case plain:
		srv.Start()
	case http2:
		srv.EnableHTTP2 = true
		transport.ForceAttemptHTTP2 = true
		srv.StartTLS()
	default:
		srv.StartTLS()
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		srv.Close()
	})
	return &fixture{t: t, url: srv.URL, server: srv, client: &http.Client{Transport: s.transport(transport)}}
}

// do makes a request and reads the response to its end.
func (f *fixture) do(method, path, body string, edit ...func(*http.Request)) {
	f.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, r)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range edit {
		e(req)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

var portNumber = regexp.MustCompile(`(127\.0\.0\.1|localhost|\[::1\]):\d+`)

func attributes(kvs []attribute.KeyValue) []string {
	out := []string{}
	for _, kv := range kvs {
		v := kv.Value.Emit()
		if kv.Key == "server.port" || kv.Key == "network.peer.port" {
			v = "PORT"
		}
		out = append(out, string(kv.Key)+"="+portNumber.ReplaceAllString(v, "$1:PORT"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// dump prints spans and metrics as lines that can be compared. want: how many spans are going to end.
func (tel *telemetry) dump(t *testing.T, want int) []string {
	t.Helper()
	for deadline := time.Now().Add(patience); len(tel.spans.GetSpans()) < want && time.Now().Before(deadline); {
		time.Sleep(2 * time.Millisecond)
	}
	spans := tel.spans.GetSpans()
	if len(spans) != want {
		t.Errorf("%d spans, want %d", len(spans), want)
	}
	names := map[string]string{}
	for _, s := range spans {
		names[s.SpanContext.SpanID().String()] = fmt.Sprintf("%s(%s)", s.SpanKind, s.Name)
	}
	var lines []string
	for _, s := range spans {
		line := fmt.Sprintf("span %s(%s) parent=%s status=%s %q %v", s.SpanKind, s.Name, names[s.Parent.SpanID().String()],
			s.Status.Code, portNumber.ReplaceAllString(s.Status.Description, "$1:PORT"), attributes(s.Attributes))
		for _, e := range s.Events {
			line += fmt.Sprintf(" event %s %v", e.Name, attributes(e.Attributes))
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return append(lines, tel.metrics(t)...)
}

func (tel *telemetry) metrics(t *testing.T) []string {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := tel.reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			head := fmt.Sprintf("metric %s unit=%s %q", m.Name, m.Unit, m.Description)
			switch d := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					lines = append(lines, fmt.Sprintf("%s %v count=%d bounds=%v", head, attributes(p.Attributes.ToSlice()), p.Count, p.Bounds))
				}
			case metricdata.Histogram[int64]:
				for _, p := range d.DataPoints {
					lines = append(lines, fmt.Sprintf("%s %v count=%d sum=%d bounds=%v", head, attributes(p.Attributes.ToSlice()), p.Count, p.Sum, p.Bounds))
				}
			case metricdata.Sum[int64]:
				if m.Name != "http.server.active_requests" { // which otelhttp does not have
					t.Errorf("unexpected %s", m.Name)
				}
			default:
				t.Errorf("%s: unexpected %T", m.Name, d)
			}
		}
	}
	slices.Sort(lines)
	return lines
}
