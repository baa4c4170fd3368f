package difftest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/instrumentation/nethttp"
	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

var hooksSide = sides[1]

func (tel *telemetry) span(t *testing.T, kind trace.SpanKind) tracetest.SpanStub {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for _, s := range tel.spans.GetSpans() {
			if s.SpanKind == kind {
				return s
			}
		}
	}
	t.Fatalf("no %s span", kind)
	return tracetest.SpanStub{}
}

func attr(s tracetest.SpanStub, key string) (attribute.Value, bool) {
	for _, kv := range s.Attributes {
		if string(kv.Key) == key {
			return kv.Value, true
		}
	}
	return attribute.Value{}, false
}

func wantAttr(t *testing.T, s tracetest.SpanStub, key, want string) {
	t.Helper()
	if v, ok := attr(s, key); !ok && want != "" || ok && v.Emit() != want {
		t.Errorf("%s = %q, %v, want %q", key, v.Emit(), ok, want)
	}
}

func TestPanic(t *testing.T) {
	for _, c := range []struct {
		path, event, statusCode string
		status                  codes.Code
	}{
		{"/panic", "string", "", codes.Error},
		{"/late-panic", "*errors.errorString", "418", codes.Error},
		{"/abort", "*errors.errorString", "", codes.Unset},
	} {
		for _, p := range []proto{plain, http2} {
			tel := collect(t)
			f := start(t, hooksSide, p, mux())
			f.do("POST", c.path, "") // a GET is sent again
			s := tel.span(t, trace.SpanKindServer)
			if s.Status.Code != c.status || s.Name != "POST "+c.path {
				t.Errorf("%s: %s, status %v", c.path, s.Name, s.Status)
			}
			if len(s.Events) != 1 || s.Events[0].Name != "exception" || s.Events[0].Attributes[0].Value.AsString() != c.event {
				t.Errorf("%s: events %v", c.path, s.Events)
			}
			wantAttr(t, s, "http.response.status_code", c.statusCode)
			for _, l := range tel.metrics(t) {
				if strings.Contains(l, "http.server") {
					t.Errorf("%s: otelhttp records no metric of a panic, but %s", c.path, l)
				}
			}
		}
	}
}

// TestIdentity: the handler gets what net/http made.
func TestIdentity(t *testing.T) {
	for _, p := range []proto{plain, http2} {
		tel := collect(t)
		seen := make(chan *http.Request, 2)
		f := start(t, side{transport: hooksSide.transport, handler: func(h http.Handler) http.Handler {
			inner := hooked(h)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body := r.Body
				inner.ServeHTTP(w, r)
				if p == plain && r.Body != body {
					t.Error("the body was replaced")
				}
				seen <- r
			})
		}}, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen <- r
			if !trace.SpanContextFromContext(r.Context()).IsValid() {
				t.Error("no span in the request's context")
			}
			if _, ok := w.(io.ReaderFrom); ok != (p == plain) {
				t.Errorf("io.ReaderFrom: %v", ok)
			}
			_, _ = io.Copy(w, io.LimitReader(neverEnding('x'), 10_000))
		}))
		f.do("POST", "/", "hello")
		if a, b := <-seen, <-seen; a != b {
			t.Error("the handler got another request")
		}
		wantAttr(t, tel.span(t, trace.SpanKindServer), "http.response.body.size", "10000")
	}
}

type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

// TestMultipart: temporary files go when the handler has returned, since net/http finds the form in its own request.
func TestMultipart(t *testing.T) {
	collect(t)
	t.Setenv("TMPDIR", t.TempDir())
	f := start(t, hooksSide, plain, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(os.TempDir() + "/multipart-*"); len(left) != 1 {
			t.Errorf("files: %v", left)
		}
	}))
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	w, _ := m.CreateFormFile("f", "f")
	_, _ = w.Write(make([]byte, 11<<20))
	_ = m.Close()
	f.do("POST", "/", b.String(), func(r *http.Request) { r.Header.Set("Content-Type", m.FormDataContentType()) })
	f.server.Close()
	if left, _ := filepath.Glob(os.TempDir() + "/multipart-*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUpgrade(t *testing.T) {
	tel := collect(t)
	f := start(t, hooksSide, plain, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString(line)
		_ = rw.Flush()
	}))
	req, _ := http.NewRequest("GET", f.url, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	rw, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatalf("%T is no io.ReadWriteCloser", resp.Body)
	}
	_, _ = io.WriteString(rw, "hello\n")
	if line, _ := bufio.NewReader(rw).ReadString('\n'); line != "hello\n" {
		t.Errorf("got %q", line)
	}
	_ = rw.Close()
	wantAttr(t, tel.span(t, trace.SpanKindClient), "http.response.status_code", "101")
	// The server does not know what the handler has written on the connection.
	wantAttr(t, tel.span(t, trace.SpanKindServer), "http.response.status_code", "")
	for _, l := range tel.metrics(t) {
		if strings.Contains(l, "http.server") && strings.Contains(l, "status_code") {
			t.Errorf("a status that nobody knows: %s", l)
		}
	}
}

// active returns the points of http.server.active_requests, as attributes and value.
func (tel *telemetry) active(t *testing.T) (points []string) {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := tel.reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			if d, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "http.server.active_requests" {
				if m.Unit != "{request}" || m.Description != "Number of active HTTP server requests." || d.IsMonotonic {
					t.Errorf("%s %q, monotonic %v", m.Unit, m.Description, d.IsMonotonic)
				}
				for _, p := range d.DataPoints {
					points = append(points, fmt.Sprint(attributes(p.Attributes.ToSlice()), p.Value))
				}
			}
		}
	}
	slices.Sort(points)
	return points
}

// TestActiveRequests: what is added is taken off, however the handler ends and whatever it does to its request or to the provider.
func TestActiveRequests(t *testing.T) {
	tel := collect(t)
	during := make(chan []string, 1)
	f := start(t, hooksSide, plain, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		during <- tel.active(t)
		switch r.URL.Path {
		case "/panic":
			panic(http.ErrAbortHandler)
		case "/method":
			r.Method = "BREW"
		case "/provider":
			otel.SetMeterProvider(noop.NewMeterProvider())
		}
	}))
	const point = "[http.request.method=%s url.scheme=http] %d"
	for _, path := range []string{"/", "/panic", "/method", "/provider"} {
		f.do("POST", path, "")
		if got, want := <-during, []string{fmt.Sprintf(point, "POST", 1)}; !slices.Equal(got, want) {
			t.Errorf("%s: during it %v, not %v", path, got, want)
		}
		want := []string{fmt.Sprintf(point, "POST", 0)}
		for deadline := time.Now().Add(patience); !slices.Equal(tel.active(t), want); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: after it %v, not %v", path, tel.active(t), want)
			}
		}
	}
}

// TestHalfClose: the program ends what it sends, and goes on reading.
func TestHalfClose(t *testing.T) {
	collect(t)
	f := start(t, hooksSide, plain, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		all, _ := io.ReadAll(rw) // ends with what the client sends
		_, _ = rw.Write(all)
		_ = rw.Flush()
	}))
	get := func(transport http.RoundTripper) io.ReadCloser {
		req, _ := http.NewRequest("GET", f.url, nil)
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "echo")
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Body
	}
	type halfCloser interface {
		io.ReadWriteCloser
		CloseWrite() error
	}
	bare := get(http.DefaultTransport)
	defer bare.Close()
	body := get(f.client.Transport)
	defer body.Close()
	_, isOf := bare.(halfCloser)
	rw, ok := body.(halfCloser)
	if ok != isOf {
		t.Fatalf("CloseWrite: %v, without hooks %v", ok, isOf)
	}
	if !ok { // before Go 1.26
		return
	}
	_, _ = io.WriteString(rw, "hello")
	if err := rw.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(rw); string(all) != "hello" || err != nil {
		t.Errorf("got %q, %v", all, err)
	}
}

type seekBody struct{ *strings.Reader }

func (seekBody) Close() error { return nil }

type ownRoundTripper struct{ body io.ReadCloser }

func (o ownRoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", Header: http.Header{}, Body: o.body, Request: req}, nil
}

// TestForeignBody: a body of a registered protocol's keeps what it offers.
func TestForeignBody(t *testing.T) {
	tel := collect(t)
	transport := &http.Transport{}
	transport.RegisterProtocol("own", ownRoundTripper{seekBody{strings.NewReader("hello")}})
	resp, err := hookedTransport{transport}.RoundTrip(mustRequest(t, "own://x/"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := resp.Body.(io.Seeker); !ok {
		t.Errorf("%T is no io.Seeker", resp.Body)
	}
	tel.span(t, trace.SpanKindClient)
}

// seenRoundTripper keeps what it is asked to send.
type seenRoundTripper struct{ req *http.Request }

func (s *seenRoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	s.req = req
	n, err := io.Copy(io.Discard, req.Body)
	return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", Header: http.Header{}, Body: http.NoBody, ContentLength: n, Request: req}, err
}

type writerToBody struct{ io.Reader }

func (writerToBody) Close() error { return nil }

func (w writerToBody) WriteTo(to io.Writer) (int64, error) { return io.Copy(to, w.Reader) }

// TestForeignRequestBody: a round tripper of a registered protocol's gets a body with the methods that net/http gives it in a plain program.
func TestForeignRequestBody(t *testing.T) {
	for _, length := range []int64{0, 5} {
		for _, body := range []func() io.ReadCloser{
			func() io.ReadCloser { return io.NopCloser(strings.NewReader("hello")) },
			func() io.ReadCloser { return writerToBody{strings.NewReader("hello")} },
			func() io.ReadCloser { return seekBody{strings.NewReader("hello")} },
		} {
			seen := &seenRoundTripper{}
			transport := &http.Transport{}
			transport.RegisterProtocol("own", seen)
			send := func(rt http.RoundTripper) any {
				req := mustRequest(t, "own://x/")
				req.Body, req.ContentLength = body(), length
				if resp, err := rt.RoundTrip(req); err != nil || resp.ContentLength != 5 {
					t.Fatal(resp, err)
				}
				return seen.req.Body
			}
			collect(t)
			sameMethods(t, send(transport), send(hookedTransport{transport}))
		}
	}
}

// sameMethods compares two values by the names of their methods.
func sameMethods(t *testing.T, want, got any) {
	t.Helper()
	names := func(v any) (all []string) {
		for i := range reflect.TypeOf(v).NumMethod() {
			all = append(all, reflect.TypeOf(v).Method(i).Name)
		}
		return all
	}
	if !slices.Equal(names(want), names(got)) {
		t.Errorf("%T has %v, %T has %v", want, names(want), got, names(got))
	}
}

// ownContext is a context that calls functions itself when it is done.
type ownContext struct {
	context.Context
	asked atomic.Int32
}

// Value knows nothing of the context inside, so that package context takes it for none of its own.
func (c *ownContext) Value(any) any { return nil }

func (c *ownContext) AfterFunc(f func()) func() bool {
	c.asked.Add(1)
	return context.AfterFunc(c.Context, f)
}

// TestContextsOfTheProgram: package context asks the program's own context, not a goroutine, below every wrapper of ours; and none is printed as a call.
func TestContextsOfTheProgram(t *testing.T) {
	collect(t)
	base, cancel := context.WithCancel(t.Context())
	own := &ownContext{Context: base}
	for what, seen := range map[string]func(context.Context) context.Context{
		"client": func(ctx context.Context) context.Context {
			rt := &seenRoundTripper{}
			transport := &http.Transport{}
			transport.RegisterProtocol("own", rt)
			req := mustRequest(t, "own://x/").WithContext(ctx)
			req.Body = http.NoBody
			if _, err := (hookedTransport{transport}).RoundTrip(req); err != nil {
				t.Fatal(err)
			}
			return rt.req.Context()
		},
		"exporter": func(ctx context.Context) context.Context {
			ictx := hooktest.New(nil, ctx, nil)
			nethttp.BeforeExport(ictx, nil, ctx, nil)
			return ictx.GetParam(1).(context.Context)
		},
		"otelhttp": func(ctx context.Context) context.Context {
			req := mustRequest(t, "http://x/").WithContext(ctx)
			ictx := hooktest.New(nil, req)
			nethttp.BeforeOtelhttpRoundTrip(ictx, nil, req)
			return ictx.GetParam(1).(*http.Request).Context()
		},
	} {
		before := own.asked.Load()
		derived, done := context.WithCancel(seen(own))
		if own.asked.Load() == before {
			t.Errorf("%s: the context was not asked", what)
		}
		done()
		if text := fmt.Sprint(derived); strings.Contains(text, "nethttp") || strings.Contains(text, "{") {
			t.Errorf("%s: printed as %s", what, text)
		}
		if _, offers := seen(base).(interface{ AfterFunc(func()) func() bool }); offers {
			t.Errorf("%s: offers what the context does not", what)
		}
	}
	cancel()
}

func mustRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// TestExpectContinue: the body below an expectContinueReader is counted, and 100 Continue is sent when it is first read.
func TestExpectContinue(t *testing.T) {
	tel := collect(t)
	f := start(t, hooksSide, plain, mux())
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	_, _ = io.WriteString(conn, "hello")
	wantAttr(t, tel.span(t, trace.SpanKindServer), "http.request.body.size", "5")
}

func TestClientSeesItsOwn(t *testing.T) {
	collect(t)
	f := start(t, hooksSide, plain, mux())
	req, _ := http.NewRequest("HEAD", f.url+"/ok/1", nil)
	resp, err := f.client.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Request != req {
		t.Error("Response.Request is not the program's")
	}
	if len(req.Header) != 0 {
		t.Errorf("the program's headers were changed: %v", req.Header)
	}
	if resp.Body != http.NoBody {
		t.Errorf("body %T, want http.NoBody", resp.Body)
	}
	// What net/http refuses, it must refuse in the same way.
	for _, bad := range []*http.Request{{}, {URL: req.URL}, {URL: req.URL, Header: http.Header{"a b": {"c"}}}} {
		_, want := (&http.Transport{}).RoundTrip(bad)
		if _, err := f.client.Transport.RoundTrip(bad); err == nil || err.Error() != want.Error() {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestCancelRequestFindsTheOriginal(t *testing.T) {
	collect(t)
	req, _ := http.NewRequest("GET", "http://example.com", nil)
	ictx := hooktest.New(nil, req)
	nethttp.BeforeRoundTrip(ictx, nil, req)
	sent := ictx.GetParam(1).(*http.Request)
	if sent == req {
		t.Fatal("not a copy")
	}
	cancel := hooktest.New(nil, sent)
	nethttp.BeforePrepareTransportCancel(cancel, nil, sent, nil)
	if cancel.GetParam(1) != any(req) {
		t.Error("filed under another request")
	}
}

func TestClientPanic(t *testing.T) {
	tel := collect(t)
	req, _ := http.NewRequest("GET", "http://example.com", nil)
	ictx := hooktest.New(nil, req)
	nethttp.BeforeRoundTrip(ictx, nil, req)
	ictx.DidUnwind, ictx.PanicValue = true, errors.New("from Proxy")
	nethttp.AfterRoundTrip(ictx, nil, nil)
	if s := tel.span(t, trace.SpanKindClient); s.Status.Code != codes.Error || len(s.Events) != 1 {
		t.Errorf("status %v, events %v", s.Status, s.Events)
	}
}

// TestSpanEndsWithBody: not with the headers.
func TestSpanEndsWithBody(t *testing.T) {
	for _, end := range []func(io.ReadCloser){
		func(b io.ReadCloser) { _, _ = io.Copy(io.Discard, b) },
		func(b io.ReadCloser) { _ = b.Close() },
	} {
		tel := collect(t)
		f := start(t, hooksSide, plain, mux())
		resp, err := f.client.Get(f.url + "/big")
		if err != nil {
			t.Fatal(err)
		}
		if ended := tel.spans.GetSpans(); slices.ContainsFunc(ended, func(s tracetest.SpanStub) bool { return s.SpanKind == trace.SpanKindClient }) {
			t.Error("ended with the headers")
		}
		end(resp.Body)
		tel.span(t, trace.SpanKindClient)
		_ = resp.Body.Close()
	}
}

// TestRetry: one span, and the size of the body that was sent last.
func TestRetry(t *testing.T) {
	tel := collect(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() { // the connection's second request is cut off, to be made again on another connection
		for n := 0; ; n++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(conn)
			for range 2 - n {
				req, err := http.ReadRequest(r)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, req.Body)
				if n == 1 || req.URL.Path == "/first" {
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			}
			conn.Close()
		}
	}()
	c := &http.Client{Transport: hookedTransport{&http.Transport{}}}
	for _, path := range []string{"/first", "/second"} {
		req, _ := http.NewRequest("PUT", "http://"+ln.Addr().String()+path, strings.NewReader("hello"))
		req.Header.Set("Idempotency-Key", "x")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	lines := tel.dump(t, 2)
	if !slices.ContainsFunc(lines, func(l string) bool {
		return strings.Contains(l, "http.client.request.body.size") && strings.Contains(l, "count=2 sum=10 ")
	}) {
		t.Error(strings.Join(lines, "\n"))
	}
}

// TestContextStaysUsable: a handler that keeps its context beyond its return, and a cancelled request.
func TestContextStaysUsable(t *testing.T) {
	collect(t)
	kept := make(chan context.Context, 1)
	type key struct{}
	f := start(t, hooksSide, plain, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(context.WithValue(r.Context(), key{}, "v"))
		t.Cleanup(cancel)
		kept <- ctx
	}))
	f.do("GET", "/", "")
	ctx := <-kept
	<-ctx.Done()
	if ctx.Value(key{}) != "v" || !trace.SpanContextFromContext(ctx).IsValid() || ctx.Value(http.ServerContextKey) == nil {
		t.Error("values are lost")
	}
}

func TestProvidersOfTheMoment(t *testing.T) {
	first := collect(t)
	f := start(t, hooksSide, plain, mux())
	f.do("GET", "/ok/1", "")
	first.dump(t, 2)
	second := collect(t)
	f.do("GET", "/ok/1", "")
	if len(second.dump(t, 2)) != 2+5 || len(first.spans.GetSpans()) != 2 {
		t.Error("the second provider was not asked")
	}
	otel.SetMeterProvider(noop.NewMeterProvider())
	third := collect(t, sdktrace.WithSampler(sdktrace.NeverSample()))
	f.do("GET", "/ok/1", "")
	third.dump(t, 0)
}
