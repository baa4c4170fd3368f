package grpc

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/contexts"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetData(data any)
	GetData() any
	SetParam(idx int, val any)
}

// methodOther stands for a method that is not known, or is one too many.
const methodOther = "_OTHER"

var keyMethodOriginal = attribute.Key("rpc.method_original")

// BeforeNewServer runs before grpc.NewServer(opts...).
func BeforeNewServer(ictx HookContext, opts []rpc.ServerOption) {
	set := readServer(opts)
	if set.traced {
		return
	}
	h := newServerHandler()
	h.serves = set.servesUnknown
	opt := rpc.StatsHandler(h)
	if set.only != nil { // a server of this release has one handler
		opt = rpc.StatsHandler(pair{set.only, h})
	}
	ictx.SetParam(0, append(opts[:len(opts):len(opts)], opt))
	ictx.SetData(h)
}

// AfterNewServer runs when it has returned.
func AfterNewServer(ictx HookContext, s *rpc.Server) {
	if h, ok := ictx.GetData().(*serverHandler); ok && s != nil {
		h.server.Store(s)
	}
}

// serverHandler is the stats.Handler of one server.
type serverHandler struct {
	*follower
	server atomic.Pointer[rpc.Server]
	serves bool // methods that are not registered, too

	methods atomic.Pointer[map[string]struct{}] // registered ones, as they stand in RPCTagInfo.FullMethodName

	quiet atomic.Bool // the program traces this server itself
}

func newServerHandler() *serverHandler {
	return &serverHandler{follower: &follower{make: otelgrpc.NewServerHandler, tracers: tracers{server: true}, opts: []otelgrpc.Option{
		otelgrpc.WithPropagators(received{}), otelgrpc.WithPublicEndpointFn(public),
	}}}
}

// serverCall is a call being served. It is the context of the call, too, so that one allocation does for both.
type serverCall struct {
	context.Context                 // with the span
	outer           context.Context // as it was without

	handler *serverHandler
	span    trace.Span
	scope   *rt.Scope   // in which the span is active, nil until the call is processed
	unknown string      // the method, where the server has none of that name and will not serve it; there is no span yet
	start   time.Time   // of such a call
	quiet   atomic.Bool // the program traces this call itself
}

type serverKey struct{}

// Value implements context.Context.
func (c *serverCall) Value(key any) any {
	if key == (serverKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer: without it, printing a context would print the call.
func (c *serverCall) String() string { return contexts.Name(c.Context) }

// TagRPC implements stats.Handler.
func (h *serverHandler) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if h.quiet.Load() {
		return ctx
	}
	c := &serverCall{outer: ctx, handler: h}
	if local := trace.SpanFromContext(ctx); isLocal(local) { // of net/http: the server is a handler there
		if active.IsExcluded(local) {
			return ctx
		}
		ctx = context.WithValue(ctx, localKey{}, local)
	}
	switch known := h.knows(info.FullMethodName); {
	case known:
		c.Context = h.current().TagRPC(ctx, info)
		c.span = trace.SpanFromContext(c.Context)
	case h.serves:
		c.other(h, ctx, info.FullMethodName)
	default:
		c.Context, c.span, c.unknown, c.start = ctx, trace.SpanFromContext(ctx), info.FullMethodName, time.Now()
	}
	return c
}

// other begins the span of a method that is not registered.
func (c *serverCall) other(h *serverHandler, ctx context.Context, method string) {
	c.Context = h.current().TagRPC(ctx, &stats.RPCTagInfo{FullMethodName: "/" + methodOther})
	c.span = trace.SpanFromContext(c.Context)
	nameOther(c.span, method)
}

// refuse makes the span of a call that the server has refused. gRPC tells of its trailer, and of nothing that comes at the end of other calls.
func (c *serverCall) refuse(h *serverHandler) {
	method := c.unknown
	c.other(h, c.Context, method)
	h.current().HandleRPC(c.Context, &stats.End{
		BeginTime: c.start, EndTime: time.Now(), Error: status.Error(codes.Unimplemented, sanitize.Text("unknown method "+method)),
	})
	c.quiet.Store(true)
}

func isLocal(span trace.Span) bool {
	sc := span.SpanContext()
	return sc.IsValid() && !sc.IsRemote()
}

// HandleRPC implements stats.Handler.
func (h *serverHandler) HandleRPC(ctx context.Context, s stats.RPCStats) {
	c := callOf(ctx, h)
	if c == nil {
		return
	}
	if c.unknown != "" {
		switch s.(type) {
		case *stats.Begin: // it has been registered since, and is served
			c.quiet.Store(true)
			h.methods.Store(nil)
		case *stats.OutTrailer:
			c.refuse(h)
		}
		return
	}
	if end, ok := s.(*stats.End); ok {
		s, ctx = bounded(end), c.Context // with our span, whatever other handlers have put into ctx
	}
	h.current().HandleRPC(ctx, s)
}

// callOf returns the call that is traced here, nil if it is not.
func callOf(ctx context.Context, h *serverHandler) *serverCall {
	if c, ok := ctx.Value(serverKey{}).(*serverCall); ok && c.handler == h && !c.quiet.Load() {
		return c
	}
	return nil
}

// TagConn implements stats.Handler.
func (*serverHandler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (*serverHandler) HandleConn(context.Context, stats.ConnStats) {}

// knows reports whether the server has a method. Nothing can be registered once it serves, unless it is a handler of net/http: see learn.
func (h *serverHandler) knows(method string) bool {
	methods := h.methods.Load()
	if methods == nil {
		methods = h.learn()
	}
	_, ok := (*methods)[method]
	return ok
}

func (h *serverHandler) learn() *map[string]struct{} {
	methods := map[string]struct{}{}
	if s := h.server.Load(); s != nil {
		for service, info := range s.GetServiceInfo() {
			for _, m := range info.Methods {
				methods["/"+service+"/"+m.Name] = struct{}{}
			}
		}
	}
	h.methods.Store(&methods)
	return &methods
}

// pair are two handlers for a release that has room for one.
type pair struct{ first, second stats.Handler }

// TagRPC implements stats.Handler.
func (p pair) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return p.second.TagRPC(p.first.TagRPC(ctx, info), info)
}

// HandleRPC implements stats.Handler.
func (p pair) HandleRPC(ctx context.Context, s stats.RPCStats) {
	p.first.HandleRPC(ctx, s)
	p.second.HandleRPC(ctx, s)
}

// TagConn implements stats.Handler.
func (p pair) TagConn(ctx context.Context, info *stats.ConnTagInfo) context.Context {
	return p.second.TagConn(p.first.TagConn(ctx, info), info)
}

// HandleConn implements stats.Handler.
func (p pair) HandleConn(ctx context.Context, s stats.ConnStats) {
	p.first.HandleConn(ctx, s)
	p.second.HandleConn(ctx, s)
}
