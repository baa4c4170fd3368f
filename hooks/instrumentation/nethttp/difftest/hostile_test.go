package difftest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// points returns the attribute sets of a metric.
func (tel *telemetry) points(t *testing.T, name string) []attribute.Set {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := tel.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	var sets []attribute.Set
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == name {
				for _, p := range h.DataPoints {
					sets = append(sets, p.Attributes)
				}
			}
		}
	}
	return sets
}

// TestClientsChooseNoMetric: hosts, methods, paths and headers of a server's clients make no new time series.
func TestClientsChooseNoMetric(t *testing.T) {
	tel := collect(t)
	f := start(t, hooksSide, plain, mux())
	client := f.server.Client()
	for i := range 300 {
		req, _ := http.NewRequest([]string{"GET", fmt.Sprintf("M%d", i)}[i%2], fmt.Sprintf("%s/nowhere/%d?q=%d", f.url, i, i), nil)
		req.Host = fmt.Sprintf("host%d.example:%d", i, i+1)
		req.Header.Set("User-Agent", fmt.Sprint("agent", i))
		req.Header.Set("X-Forwarded-For", fmt.Sprint("10.0.0.", i))
		req.Header.Set("X-Forwarded-Proto", fmt.Sprint("p", i))
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if sets := tel.points(t, "http.server.request.duration"); len(sets) == 0 || len(sets) > 4 {
		t.Errorf("%d time series: %v", len(sets), sets)
	}
}

// TestRedirectsAreNoRoutes: http.ServeMux gives out the client's path as a pattern where it redirects, for CONNECT always.
func TestRedirectsAreNoRoutes(t *testing.T) {
	tel := collect(t)
	served := http.NewServeMux()
	served.HandleFunc("/users/{id}/", func(http.ResponseWriter, *http.Request) {})
	served.HandleFunc("/items/", func(http.ResponseWriter, *http.Request) {})
	f := start(t, hooksSide, plain, served)
	long := strings.Repeat("x", 1<<16)
	for i := range 40 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		method := []string{"CONNECT", "GET"}[i%2]
		slash := []string{"", "%2F"}[i/2%2]
		if _, err := fmt.Fprintf(conn, "%s /users/%d%s%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, i, long, slash); err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(conn)
		if !strings.HasPrefix(string(answer), "HTTP/1.1 30") {
			t.Fatalf("%s: %.100s", method, answer)
		}
		conn.Close()
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "CONNECT /items/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") // a path that is a pattern
	_, _ = io.ReadAll(conn)
	found := map[string]bool{}
	for _, set := range tel.points(t, "http.server.request.duration") {
		route, _ := set.Value("http.route")
		found[route.AsString()] = true
	}
	if len(found) > 3 || !found["/items/"] {
		t.Errorf("routes of %d time series: %.300v", len(found), found)
	}
}

// TestServersOfAClientAreBounded: a proxy asks for whatever its clients name.
func TestServersOfAClientAreBounded(t *testing.T) {
	tel := collect(t)
	transport := hookedTransport{ownRoundTripper{http.NoBody}}
	for i := range 1000 {
		_, _ = transport.RoundTrip(mustRequest(t, fmt.Sprintf("http://host%d.example/", i)))
		_, _ = transport.RoundTrip(mustRequest(t, fmt.Sprintf("s%d://host0.example/", i)))
	}
	if sets := tel.points(t, "http.client.request.duration"); len(sets) < 10 || len(sets) > 210 {
		t.Errorf("%d time series", len(sets))
	}
}

// TestLongValuesAreCut: and nothing large is kept by what is short.
func TestLongValuesAreCut(t *testing.T) {
	tel := collect(t)
	f := start(t, hooksSide, plain, mux())
	large := strings.Repeat("x", 1<<18)
	f.do("GET", "/ok/7?q="+large, "", func(r *http.Request) {
		r.Header.Set("User-Agent", large)
		r.Header.Set("X-Forwarded-For", "10.0.0.1, "+large)
	})
	f.do(large, "/"+large, "")
	for _, kind := range []trace.SpanKind{trace.SpanKindServer, trace.SpanKindClient} {
		n := 0
		for _, s := range tel.spans.GetSpans() {
			if s.SpanKind != kind {
				continue
			}
			n++
			if len(s.Name) > 100 {
				t.Errorf("%s: a name of %d bytes", kind, len(s.Name))
			}
			for _, a := range s.Attributes {
				if v := a.Value.Emit(); len(v) > sanitize.MaxValue {
					t.Errorf("%s: %s of %d bytes", kind, a.Key, len(v))
				}
			}
		}
		if n == 0 {
			t.Errorf("no %s span", kind)
		}
	}
	large = ""
	// A thousand requests with long headers whose first part is what is kept.
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	long := strings.Repeat("y", 1<<17)
	for range 200 {
		f.do("GET", "/ok/7?q="+long, "", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "10.0.0.1, "+long) })
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("200 spans of server and client keep %d bytes", grown)
	}
}

// TestPartsKeepNothingLarge: what a span keeps of a request line or a header does not keep all of it.
func TestPartsKeepNothingLarge(t *testing.T) {
	large := strings.Repeat("z", 1<<18)
	for name, request := range map[string]string{
		"absolute":    "GET http://h/ok/7?" + large + " HTTP/1.1\r\nHost: x\r\n",
		"trace state": "GET /ok/7 HTTP/1.1\r\nHost: x\r\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nTracestate: a=b" + strings.Repeat(",", 1<<18) + "\r\n",
		"version":     "GET /ok/7?" + large + " HTTP/1.0\r\nHost: x\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			tel := collect(t)
			f := start(t, hooksSide, plain, mux())
			var before, after runtime.MemStats
			send := func() {
				conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if _, err := io.WriteString(conn, request+"Connection: close\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				_, _ = io.ReadAll(conn)
			}
			send()
			runtime.GC()
			runtime.ReadMemStats(&before)
			for range 100 {
				send()
			}
			for deadline := time.Now().Add(patience); len(tel.spans.GetSpans()) < 101 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 || len(tel.spans.GetSpans()) != 101 {
				t.Errorf("%d spans keep %d bytes", len(tel.spans.GetSpans()), grown)
			}
		})
	}
}

// TestSecretsInURLs: of a client's span.
func TestSecretsInURLs(t *testing.T) {
	tel := collect(t)
	_, _ = hookedTransport{ownRoundTripper{http.NoBody}}.RoundTrip(mustRequest(t, "https://user:word@example.com/a?sig=1&Signature=2&AWSAccessKeyId=3&X-Goog-Signature=4&x=5"))
	wantAttr(t, tel.span(t, trace.SpanKindClient), "url.full",
		"https://example.com/a?sig=REDACTED&Signature=REDACTED&AWSAccessKeyId=REDACTED&X-Goog-Signature=REDACTED&x=5")
}
