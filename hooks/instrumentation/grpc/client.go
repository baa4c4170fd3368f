package grpc

import (
	"context"
	"net"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt/border"
	"github.com/otelobj/otelobj/hooks/rt/contexts"
)

var (
	keyServerAddress = attribute.Key("server.address")
	keyServerPort    = attribute.Key("server.port")
)

// BeforeNewClient runs before grpc.NewClient(target, opts...).
func BeforeNewClient(ictx HookContext, target string, opts []rpc.DialOption) {
	if opt := clientOption(target, opts); opt != nil {
		ictx.SetParam(1, append(opts[:len(opts):len(opts)], opt))
	}
}

// BeforeDialContext runs before grpc.DialContext(ctx, target, opts...), in releases whose DialContext does not call NewClient.
func BeforeDialContext(ictx HookContext, _ context.Context, target string, opts []rpc.DialOption) {
	if opt := clientOption(target, opts); opt != nil {
		ictx.SetParam(2, append(opts[:len(opts):len(opts)], opt))
	}
}

// clientOption returns what is added to the options of a client, nil if nothing is.
func clientOption(target string, opts []rpc.DialOption) rpc.DialOption {
	set := readClient(opts)
	if set.traced || isOfLibrary() {
		return nil
	}
	h := newClientHandler(target)
	if set.only != nil { // a client of this release has one handler
		return rpc.WithStatsHandler(pair{set.only, h})
	}
	return rpc.WithStatsHandler(h)
}

// library is what the names of gRPC's own packages begin with. Other modules are below it, too.
const library = "google.golang.org/grpc"

var others = []string{"/examples", "/interop", "/test", "/benchmark", "/security", "/stress"}

// isOfLibrary reports whether gRPC makes a client for itself: for its control plane (xDS, RLS, grpclb), or a handshake (ALTS). The program knows nothing of
// it, its calls last as long as the program, and otelgrpc by hand does not see it.
func isOfLibrary() bool {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for inside := false; ; {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, library+".") {
			inside = true // NewClient, and what calls it
		} else if inside {
			rest, ok := strings.CutPrefix(frame.Function, library)
			return ok && strings.HasPrefix(rest, "/") && !slices.ContainsFunc(others, func(other string) bool { return strings.HasPrefix(rest, other) })
		}
		if !more {
			return false
		}
	}
}

// clientHandler is the stats.Handler of one client.
type clientHandler struct {
	*follower
	sends bool // context goes to the server
}

func newClientHandler(target string) *clientHandler {
	h := &clientHandler{sends: border.SendsTo(hostOf(target))}
	var propagator otelgrpc.Option = otelgrpc.WithPropagators(sent{})
	if !h.sends {
		propagator = otelgrpc.WithPropagators(silent{})
	}
	h.follower = &follower{make: otelgrpc.NewClientHandler, opts: []otelgrpc.Option{propagator}}
	return h
}

// hostOf returns the host of a target (https://github.com/grpc/grpc/blob/master/doc/naming.md): of "dns://1.1.1.1/example.com:443", and of
// "example.com:443", it is example.com.
func hostOf(target string) string {
	endpoint := target
	if u, err := url.Parse(target); err == nil && (u.Opaque != "" || strings.Contains(target, "://")) {
		if _, err := strconv.Atoi(u.Opaque); err != nil { // host:port parses as scheme:opaque
			endpoint = u.Opaque
			if endpoint == "" {
				endpoint = u.Path
			}
		}
	}
	endpoint = strings.TrimPrefix(endpoint, "/")
	if host, _, err := net.SplitHostPort(endpoint); err == nil {
		return host
	}
	return endpoint
}

// exports are methods of services that receive telemetry, from exporters of the program's own. A span for such a call would have to be exported in turn.
var exports = []string{
	"/opentelemetry.proto.collector.",
	"/google.devtools.cloudtrace.",
	"/google.monitoring.v3.MetricService/Create",
	"/google.logging.v2.LoggingServiceV2/WriteLogEntries",
}

func isExport(method string) bool {
	for _, prefix := range exports {
		if strings.HasPrefix(method, prefix) {
			return true
		}
	}
	return false
}

// clientCall is an attempt of a call, and its context.
type clientCall struct {
	context.Context // with the span
	handler         *clientHandler
	span            trace.Span
}

type clientKey struct{}

// Value implements context.Context.
func (c *clientCall) Value(key any) any {
	if key == (clientKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer.
func (c *clientCall) String() string { return contexts.Name(c.Context) }

// TagRPC implements stats.Handler.
func (h *clientHandler) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if isQuiet(ctx) || isExport(info.FullMethodName) {
		if ctx.Value(clientKey{}) != nil { // made with the context of another call's stream
			return context.WithValue(ctx, clientKey{}, nil)
		}
		return ctx
	}
	c := &clientCall{handler: h}
	known := called.Has(info.FullMethodName)
	tagged := info
	if !known {
		o := *info
		o.FullMethodName = "/" + methodOther
		tagged = &o
	}
	c.Context = h.current().TagRPC(h.withoutContext(active.Context(ctx)), tagged)
	c.span = trace.SpanFromContext(c.Context)
	if !known {
		nameOther(c.span, info.FullMethodName)
	}
	return contexts.Offering(c, ctx)
}

// withoutContext removes trace context and baggage that a proxy passes on from its caller, where that must not decide here.
func (h *clientHandler) withoutContext(ctx context.Context) context.Context {
	if h.sends && border.Trusts() {
		return ctx
	}
	md, ok := metadata.FromOutgoingContext(ctx) // a copy
	if !ok {
		return ctx
	}
	for _, field := range otel.GetTextMapPropagator().Fields() {
		md.Delete(field)
	}
	return metadata.NewOutgoingContext(ctx, md)
}

// HandleRPC implements stats.Handler.
func (h *clientHandler) HandleRPC(ctx context.Context, s stats.RPCStats) {
	c, ok := ctx.Value(clientKey{}).(*clientCall)
	if !ok || c.handler != h {
		return
	}
	switch event := s.(type) {
	case *stats.OutHeader:
		h.outHeader(ctx, c, event)
		return
	case *stats.End:
		s, ctx = bounded(event), c.Context // with our span, whatever other handlers have put into ctx
	}
	h.current().HandleRPC(ctx, s)
}

func (h *clientHandler) outHeader(ctx context.Context, c *clientCall, s *stats.OutHeader) {
	if s.RemoteAddr == nil || addresses.Has(s.RemoteAddr.String()) {
		h.current().HandleRPC(ctx, s)
		return
	}
	o := *s
	o.RemoteAddr = other{s.RemoteAddr}
	h.current().HandleRPC(ctx, &o)
	if c.span.IsRecording() {
		if host, port, err := net.SplitHostPort(s.RemoteAddr.String()); err == nil {
			n, _ := strconv.Atoi(port)
			c.span.SetAttributes(keyServerAddress.String(host), keyServerPort.Int(n))
		}
	}
}

// TagConn implements stats.Handler.
func (*clientHandler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (*clientHandler) HandleConn(context.Context, stats.ConnStats) {}
