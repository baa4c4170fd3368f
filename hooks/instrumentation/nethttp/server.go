package nethttp

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/border"
	"github.com/otelobj/otelobj/hooks/rt/contexts"
	"github.com/otelobj/otelobj/hooks/rt/request"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetData(data any)
	GetData() any
	SetParam(idx int, val any)
	Unwound() (panicValue any, goexit, ok bool)
	PanicStack() []uintptr
}

// serverCall is a request being served. It is the request's context, too, so that one allocation does for both. It is never used
// again: a handler may keep a context for as long as it likes.
type serverCall struct {
	context.Context                 // with the span
	outer           context.Context // the request's own, before the hook

	span  trace.Span
	scope *rt.Scope // in which the span is active
	start time.Time
	req   *http.Request
	rw    http.ResponseWriter
	read  *atomic.Int64 // bytes read from the request's body, nil if it has none

	active   activeRequest
	switched atomic.Int32 // the status that a reverse proxy writes on a connection that it has taken over, 0: none
	found    atomic.Pointer[request.Route]
	failures atomic.Pointer[failures]

	// quiet: an instrumentation of the program's own traces this request. Atomic because http.TimeoutHandler runs its handler
	// on a goroutine that may outlive the call.
	quiet, quietMetrics atomic.Bool
}

type serverKey struct{}

// Value implements context.Context.
func (c *serverCall) Value(key any) any {
	if key == (serverKey{}) || key == (request.Key{}) {
		return c
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer: without it, printing a context would print the call.
func (c *serverCall) String() string { return contexts.Name(c.Context) }

// BeforeServeHTTP runs before net/http.serverHandler.ServeHTTP(rw, req).
func BeforeServeHTTP(ictx HookContext, _ interface{}, rw http.ResponseWriter, req *http.Request) {
	if req == nil {
		return
	}
	outer := req.Context()
	c := &serverCall{outer: outer, start: time.Now(), req: req, rw: rw}
	parent, caller := incoming(outer, req.Header)
	if req.URL != nil && isExcluded(req.URL.Path) {
		c.Context, c.span = active.Exclude(parent)
	} else {
		c.startSpan(parent, caller)
	}
	c.active = begin(c, req)
	c.scope = active.Enter(c, c.span)
	if !setContext(req, c) {
		c.req = req.WithContext(c)
		ictx.SetParam(2, c.req)
	}
	c.read = countBody(c.req)
	ictx.SetData(c)
}

// incoming returns the context of a request with what its sender says of trace and baggage or, where senders are not believed, the request's
// own and the sender's span, for a link.
func incoming(ctx context.Context, header http.Header) (context.Context, trace.SpanContext) {
	if border.Trusts() {
		return otel.GetTextMapPropagator().Extract(ctx, carrier(header)), trace.SpanContext{}
	}
	sender := otel.GetTextMapPropagator().Extract(context.Background(), carrier(header))
	return ctx, trace.SpanContextFromContext(sender)
}

// carrier are the headers of a request, for a propagator. Received ones that are longer than they should be are left out: spans keep the trace state, and
// with it the header that it is a part of.
type carrier http.Header

const longestContext = 8192 // W3C Baggage, 3.3.2; trace state is shorter

// Get implements propagation.TextMapCarrier.
func (r carrier) Get(key string) string {
	if v := r[headerKey(key)]; len(v) > 0 && len(v[0]) <= longestContext {
		return v[0]
	}
	return ""
}

// Set implements propagation.TextMapCarrier.
func (r carrier) Set(key, value string) { r[headerKey(key)] = []string{value} }

// Keys implements propagation.TextMapCarrier.
func (r carrier) Keys() []string { return propagation.HeaderCarrier(r).Keys() }

// headerKey is http.CanonicalHeaderKey, which makes a new string of the names that propagators have.
func headerKey(key string) string {
	switch key {
	case "traceparent":
		return "Traceparent"
	case "tracestate":
		return "Tracestate"
	case "baggage":
		return "Baggage"
	}
	return http.CanonicalHeaderKey(key)
}

// startSpan: caller is a span to link to, if it is one.
func (c *serverCall) startSpan(parent context.Context, caller trace.SpanContext) {
	a := getAttrs()
	a.serverRequest(c.req)
	tracer, name := tracerFor(trace.SpanFromContext(c.outer)), spanMethod(c.req.Method)
	if caller.IsValid() {
		c.Context, c.span = tracer.Start(parent, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(c.start), trace.WithAttributes(*a...),
			trace.WithLinks(trace.Link{SpanContext: caller}))
	} else {
		c.Context, c.span = active.Start(parent, tracer, name, trace.SpanKindServer, c.start, *a)
	}
	a.free()
}

// AfterServeHTTP runs when net/http.serverHandler.ServeHTTP has returned, or was unwound by a panic or runtime.Goexit.
func AfterServeHTTP(ictx HookContext) {
	c, ok := ictx.GetData().(*serverCall)
	if !ok {
		return
	}
	c.scope.Leave()
	c.active.end(c)
	value, _, unwound := ictx.Unwound()
	status, written := c.response(unwound)
	if !unwound && !c.quietMetrics.Load() {
		c.record(status, written) // first, as otelhttp does: a reader of the span can count on its metrics
	}
	c.endSpan(status, written, value, ictx.PanicStack())
	c.req, c.rw = nil, nil // a handler that keeps its context need not keep these
}

// response returns the status of the response, 0 if it is not known, and the size of its body.
func (c *serverCall) response(unwound bool) (status int, written int64) {
	status, written, known := sent(c.rw)
	switch {
	case status != 0 || !known:
	case hijacked(c.rw): // the handler has answered on the connection, if at all
		status = int(c.switched.Load())
	case !unwound:
		status = http.StatusOK // what net/http sends when the handler returns
	}
	return status, written
}

// BeforeUpgradeResponse runs before net/http/httputil.(*ReverseProxy).handleUpgradeResponse(rw, req, res), which takes over the connection and
// writes there what the server behind it has answered. If it refuses to, it writes another status in the usual way.
func BeforeUpgradeResponse(_ HookContext, _ interface{}, _ http.ResponseWriter, req *http.Request, res *http.Response) {
	if req == nil || res == nil {
		return
	}
	if c, ok := req.Context().Value(serverKey{}).(*serverCall); ok {
		c.switched.Store(int32(res.StatusCode))
	}
}

func (c *serverCall) endSpan(status int, written int64, panicValue any, stack []uintptr) {
	if c.quiet.Load() {
		active.Drop(c.span)
		return // never ended, so never exported
	}
	defer c.span.End()
	if !c.span.IsRecording() {
		return
	}
	a := getAttrs()
	if r := c.pattern(); r != "" {
		c.span.SetName(routeKey{spanMethod(c.req.Method), r}.name())
		a.str(keyRoute, r)
	}
	if read := c.bytesRead(); read > 0 {
		a.num64(keyRequestBodySize, read)
	}
	if written > 0 {
		a.num64(keyResponseBodySize, written)
	}
	if status > 0 {
		a.num(keyResponseStatusCode, status)
	}
	c.span.SetAttributes(*a...)
	a.free()
	if status >= 500 && !c.described() {
		c.span.SetStatus(serverStatus(status))
	}
	if panicValue != nil {
		recordPanic(c.span, panicValue, stack)
	}
}

// recordPanic adds the event that the SDK adds when a span ends in a panic, with the stack, and the status that it leaves out.
func recordPanic(span trace.Span, value any, stack []uintptr) {
	event := exception(value)
	if len(stack) > 0 {
		event = append(event, keyExceptionStacktrace.String(sanitize.Stack(active.Stack(stack))))
	}
	span.AddEvent(eventException, trace.WithAttributes(event...))
	if value == any(http.ErrAbortHandler) { // the comparison that net/http makes
		return
	}
	span.SetStatus(codes.Error, event[1].Value.AsString())
}

func (c *serverCall) record(status int, written int64) {
	// What a client cannot choose at will: server.address and server.port come from its Host header, and are opt-in.
	series := serverSeries{activeKey{standardMethod(c.req.Method), c.req.TLS != nil}, protocolOf(c.req.Proto), c.pattern(), max(status, 0)}
	opts, m := series.options(), meters()
	m.serverRequestSize.Record(c, c.bytesRead(), opts...)
	m.serverResponseSize.Record(c, written, opts...)
	m.serverDuration.Record(c, float64(time.Since(c.start))/float64(time.Second), opts...)
}

func (c *serverCall) bytesRead() int64 {
	if c.read == nil {
		return 0
	}
	return c.read.Load()
}

// serverStatus is the status of a server's span for a status code of 500 or more.
func serverStatus(code int) (codes.Code, string) {
	if code >= 600 {
		return codes.Error, "Invalid HTTP status code " + attribute.IntValue(code).Emit()
	}
	return codes.Error, ""
}

func (a *attrs) serverRequest(req *http.Request) {
	https := req.TLS != nil
	host, port := splitHostPort(req.Host)
	a.server(sanitize.Part(host, req.RequestURI), port, https)
	a.method(req.Method)
	a.str(keyURLScheme, scheme(https))
	peer, peerPort := splitHostPort(req.RemoteAddr)
	if peer != "" {
		a.str(keyNetworkPeerAddress, peer)
		if peerPort > 0 {
			a.num(keyNetworkPeerPort, peerPort)
		}
	}
	if agent := req.UserAgent(); agent != "" {
		a.str(keyUserAgentOriginal, sanitize.Text(agent))
	}
	forwarded := req.Header.Get("X-Forwarded-For")
	client, _, _ := strings.Cut(forwarded, ",")
	client = sanitize.Part(client, forwarded)
	if client == "" {
		client = peer
	}
	if client != "" {
		a.str(keyClientAddress, client)
	}
	if req.URL != nil && req.URL.Path != "" {
		a.str(keyURLPath, sanitize.Part(req.URL.Path, req.RequestURI))
	}
	a.protocol(req.Proto)
}

func scheme(https bool) string {
	if https {
		return "https"
	}
	return "http"
}
