package difftest

import (
	"context"
	"net"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	hooks "github.com/otelobj/otelobj/hooks/instrumentation/grpc"
	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// TestInterceptorsInsideOthers: what a rule calls before the interceptors of otelgrpc. No span of ours is left, and none is seen.
func TestInterceptorsInsideOthers(t *testing.T) {
	tel := collect(t)
	calls := 0
	server := func(ctx context.Context, req any, info *rpc.UnaryServerInfo, handler rpc.UnaryHandler) (any, error) {
		ictx := hooktest.New(ctx, req, info, handler)
		hooks.BeforeUnaryServer(ictx, ctx, req, info, handler)
		ctx = ictx.GetParam(0).(context.Context)
		if trace.SpanContextFromContext(ctx).IsValid() {
			t.Error("our span is in the context")
		}
		calls++
		return handler(ctx, req)
	}
	client := func(ctx context.Context, method string, req, reply any, cc *rpc.ClientConn, invoker rpc.UnaryInvoker, opts ...rpc.CallOption) error {
		ictx := hooktest.New(ctx, method, req, reply, cc, invoker, opts)
		hooks.BeforeUnaryClient(ictx, ctx, method, req, reply, cc, invoker, opts)
		return invoker(ictx.GetParam(0).(context.Context), method, req, reply, cc, opts...)
	}
	f := start(t, hooked, &echo{}, []rpc.ServerOption{rpc.UnaryInterceptor(server)}, []rpc.DialOption{rpc.WithUnaryInterceptor(client)})
	f.unary(context.Background(), "x")
	f.unary(context.Background(), "x")
	f.stop()
	if spans := tel.spans.GetSpans(); len(spans) != 0 || calls != 2 {
		t.Error(spans, calls)
	}
}

// TestBehindNetHTTP: the span of a server that is a handler of net/http is below that of net/http, not beside it.
func TestBehindNetHTTP(t *testing.T) {
	tel := collect(t)
	srv := hooked.server()
	srv.RegisterService(&service, &echo{})
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := otel.Tracer("web").Start(r.Context(), "POST", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		srv.ServeHTTP(w, r.WithContext(ctx))
	})}
	web.Protocols.SetUnencryptedHTTP2(true)
	go web.Serve(lis)
	conn, err := hooked.client(lis.Addr().String(), rpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	if err := (&fixture{conn: conn}).unary(context.Background(), "x"); err != nil {
		t.Error(err)
	}
	conn.Close()
	web.Shutdown(context.Background())
	var above, below trace.SpanContext
	for _, s := range tel.waitFor(t, 3) {
		switch {
		case s.Name == "POST":
			above = s.SpanContext
		case s.SpanKind == trace.SpanKindServer:
			below = s.Parent
		}
	}
	if !above.IsValid() || below.SpanID() != above.SpanID() || below.IsRemote() {
		t.Error(above, below)
	}
}
