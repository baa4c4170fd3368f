package nethttp

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/border"
	"github.com/otelobj/otelobj/hooks/rt/contexts"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// clientCall is a request on its way, and then the body of its response (see responseBody).
type clientCall struct {
	responseBody

	ctx   context.Context // with the span
	start time.Time
	orig  *http.Request // the program's
	req   *http.Request // what is sent in its place
	sent  *requestBody  // nil if the request has no body
	scope *rt.Scope     // in which the span is active: until roundTrip returns
}

type clientKey struct{}

// clientContext makes the call known to the hooks below it.
type clientContext struct {
	context.Context
	call *clientCall
}

// Value implements context.Context.
func (c *clientContext) Value(key any) any {
	if key == (clientKey{}) {
		return c.call
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer.
func (c *clientContext) String() string { return contexts.Name(c.Context) }

// BeforeRoundTrip runs before net/http.(*Transport).roundTrip(req).
func BeforeRoundTrip(ictx HookContext, _ interface{}, req *http.Request) {
	if req == nil || req.URL == nil { // a request without a URL is an error, or a ping of an HTTP/2 connection
		return
	}
	outer := req.Context()
	if isQuiet(outer) {
		return
	}
	outer = active.Context(outer)
	c := &clientCall{start: time.Now(), orig: req}
	if parent := trace.SpanFromContext(outer); active.IsExcluded(parent) {
		c.ctx, c.span = outer, parent // which the hooks neither end nor write to
	} else {
		c.ctx, c.span = active.Start(outer, tracerFor(parent), clientSpanName(req.Method), trace.SpanKindClient, c.start, nil)
	}
	c.scope = active.EnterAlone(c.ctx, c.span) // connections that are opened meanwhile serve others, too
	// A shallow copy, but for the headers: trailers are set by the program while the body is sent, in a map that it knows.
	c.req = req.WithContext(contexts.Offering(&clientContext{c.ctx, c}, req.Context()))
	if req.Header != nil { // if it is nil, net/http refuses the request, and must see it unchanged
		c.req.Header = req.Header.Clone()
		propagator, sends := otel.GetTextMapPropagator(), border.SendsTo(hostname(c.req))
		if !sends || !border.Trusts() {
			for _, field := range propagator.Fields() { // a proxy passes on what it has received
				c.req.Header.Del(field)
			}
		}
		if sends {
			propagator.Inject(c.ctx, carrier(c.req.Header))
		}
	}
	c.sent = countRequest(c.req)
	if c.span.IsRecording() {
		a := getAttrs()
		a.clientRequest(req)
		c.span.SetAttributes(*a...)
		a.free()
	}
	ictx.SetParam(1, c.req)
	ictx.SetData(c)
}

// AfterRoundTrip runs when net/http.(*Transport).roundTrip has returned, or was unwound.
func AfterRoundTrip(ictx HookContext, resp *http.Response, err error) {
	c, ok := ictx.GetData().(*clientCall)
	if !ok {
		return
	}
	c.scope.Leave()
	c.scope = nil
	if value, _, unwound := ictx.Unwound(); unwound {
		if value != nil {
			recordPanic(c.span, value, ictx.PanicStack())
		}
		c.span.End()
		return
	}
	c.record(resp, err)
	if err != nil || resp == nil {
		if err != nil {
			c.fail(err)
		}
		c.span.End()
		return
	}
	if resp.Request == c.req {
		resp.Request = c.orig
	}
	if c.span.IsRecording() {
		a := getAttrs()
		a.clientResponse(resp)
		c.span.SetAttributes(*a...)
		a.free()
		if code, text := clientStatus(resp.StatusCode); code != codes.Unset {
			c.span.SetStatus(code, text)
		}
	}
	resp.Body = c.watch(resp.Body)
}

// BeforePrepareTransportCancel runs before net/http.(*Transport).prepareTransportCancel(req, cancel), which files a request for
// Transport.CancelRequest: it must be the one that the program knows.
func BeforePrepareTransportCancel(ictx HookContext, _ interface{}, req *http.Request, _ interface{}) {
	if req == nil {
		return
	}
	if c, ok := req.Context().Value(clientKey{}).(*clientCall); ok && c.req == req {
		ictx.SetParam(1, c.orig)
	}
}

func (c *clientCall) record(resp *http.Response, err error) {
	opts, m := seriesOf(c.orig, resp, err).options(), meters()
	m.clientRequestSize.Record(c.ctx, c.sent.size(err == nil), opts...)
	m.clientDuration.Record(c.ctx, float64(time.Since(c.start))/float64(time.Second), opts...)
}

func clientMethod(method string) string {
	if method == "" {
		return http.MethodGet // as net/http reads it
	}
	return method
}

// clientSpanName is "HTTP" and a known method: a proxy passes on any method that its own clients make up.
func clientSpanName(method string) string {
	if name, known := clientSpanNames[standardMethod(clientMethod(method))]; known {
		return name
	}
	return "HTTP"
}

var clientSpanNames = func() map[string]string {
	names := map[string]string{}
	for method := range standardMethods {
		names[method] = "HTTP " + method
	}
	return names
}()

// hostname is where a request goes.
func hostname(req *http.Request) string {
	if req.URL != nil && req.URL.Host != "" {
		return req.URL.Hostname()
	}
	host, _ := splitHostPort(req.Host)
	return host
}

const longURL = 256

// clientScheme is the scheme of a URL, for metrics: a crawler follows links that strangers write.
func clientScheme(u *url.URL) string {
	switch {
	case u == nil || u.Scheme == "" || u.Scheme == "http":
		return "http"
	case u.Scheme == "https":
		return "https"
	}
	return methodOther
}

func clientStatus(code int) (codes.Code, string) {
	if code < 100 || code >= 600 {
		return codes.Error, "Invalid HTTP status code " + strconv.Itoa(code)
	}
	if code >= 400 {
		return codes.Error, ""
	}
	return codes.Unset, ""
}

// clientHost returns the host that the program named, in the URL or else in the header. The result keeps no long URL in memory.
func clientHost(req *http.Request) (host string, port int, https bool) {
	port = -1
	if req.URL != nil {
		host, port = splitHostPort(req.URL.Host)
		https = req.URL.Scheme == "https"
	}
	if host == "" && port <= 0 {
		host, port = splitHostPort(req.Header.Get("Host"))
	}
	if req.URL != nil && (req.URL.User != nil || len(req.URL.Path)+len(req.URL.RawQuery)+len(req.URL.Fragment) > longURL) {
		host = strings.Clone(host)
	}
	return host, port, https
}

func (a *attrs) clientRequest(req *http.Request) {
	a.method(req.Method)
	a.str(keyURLFull, sanitize.URL(req.URL))
	host, port, https := clientHost(req)
	a.server(sanitize.Text(host), port, https)
	a.protocol(req.Proto)
}

func (a *attrs) clientResponse(resp *http.Response) {
	if resp.StatusCode > 0 {
		a.num(keyResponseStatusCode, resp.StatusCode)
	}
	if resp.StatusCode >= 400 || resp.StatusCode < 100 {
		a.str(keyErrorType, strconv.Itoa(resp.StatusCode))
	}
	a.protocol(resp.Proto)
}

// seriesOf returns what the metrics of a request have.
func seriesOf(req *http.Request, resp *http.Response, err error) clientSeries {
	host, port, _ := clientHost(req)
	if !hosts.known(host, port) {
		host, port = methodOther, -1
	}
	key := clientSeries{method: standardMethod(clientMethod(req.Method)), scheme: clientScheme(req.URL), host: host, port: port}
	proto := req.Proto
	switch {
	case err != nil:
		key.failure = metricErrorType(err)
	case resp != nil:
		if resp.Proto != "" {
			proto = resp.Proto
		}
		if resp.StatusCode >= 100 && resp.StatusCode < 600 { // other codes mean nothing, and a server could choose any of hundreds
			key.status = resp.StatusCode
		}
	}
	key.protocol = protocolOf(proto)
	return key
}
