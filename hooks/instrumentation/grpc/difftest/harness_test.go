package difftest

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	hooks "github.com/otelobj/otelobj/hooks/instrumentation/grpc"
	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// telemetry collects what one side of a comparison emits.
type telemetry struct {
	spans  *tracetest.InMemoryExporter
	reader *metric.ManualReader
}

// collect makes fresh global providers.
func collect(t *testing.T) *telemetry {
	t.Helper()
	tel := &telemetry{spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(tel.spans)))
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(tel.reader)))
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	return tel
}

// side makes servers and clients, with the instrumentation that is compared.
type side struct {
	server func(opts ...rpc.ServerOption) *rpc.Server
	client func(target string, opts ...rpc.DialOption) (*rpc.ClientConn, error)
}

var byHand = side{
	server: func(opts ...rpc.ServerOption) *rpc.Server {
		return rpc.NewServer(append(opts, rpc.StatsHandler(otelgrpc.NewServerHandler()))...)
	},
	client: func(target string, opts ...rpc.DialOption) (*rpc.ClientConn, error) {
		return rpc.NewClient(target, append(opts, rpc.WithStatsHandler(otelgrpc.NewClientHandler()))...)
	},
}

// hooked does what an instrumented program does.
var hooked = side{
	server: func(opts ...rpc.ServerOption) *rpc.Server {
		ictx := hooktest.New(opts)
		hooks.BeforeNewServer(ictx, opts)
		s := rpc.NewServer(ictx.GetParam(0).([]rpc.ServerOption)...)
		hooks.AfterNewServer(ictx, s)
		return s
	},
	client: func(target string, opts ...rpc.DialOption) (*rpc.ClientConn, error) {
		ictx := hooktest.New(target, opts)
		hooks.BeforeNewClient(ictx, target, opts)
		return rpc.NewClient(target, ictx.GetParam(1).([]rpc.DialOption)...)
	},
}

// echo is the service of the tests, in all kinds of methods. A text that begins with "fail" is the code and message of an error.
type echo struct {
	seen func(ctx context.Context)
}

func (e *echo) look(ctx context.Context, text string) error {
	if e.seen != nil {
		e.seen(ctx)
	}
	switch {
	case strings.HasPrefix(text, "fail "):
		return status.Error(codes.FailedPrecondition, text)
	case strings.HasPrefix(text, "code "):
		n, _ := strconv.ParseUint(strings.TrimPrefix(text, "code "), 10, 32)
		return status.Error(codes.Code(n), "made up")
	case strings.HasPrefix(text, "internal "):
		return status.Error(codes.Internal, text)
	case strings.HasPrefix(text, "plain "):
		return fmt.Errorf("not a status: %s", text)
	}
	return nil
}

func unary(srv any, ctx context.Context, dec func(any) error, interceptor rpc.UnaryServerInterceptor) (any, error) {
	in := new(wrapperspb.StringValue)
	if err := dec(in); err != nil {
		return nil, err
	}
	handler := func(ctx context.Context, req any) (any, error) {
		in := req.(*wrapperspb.StringValue)
		return in, srv.(*echo).look(ctx, in.GetValue())
	}
	if interceptor == nil {
		return handler(ctx, in)
	}
	return interceptor(ctx, in, &rpc.UnaryServerInfo{Server: srv, FullMethod: "/test.Echo/Unary"}, handler)
}

func stream(srv any, s rpc.ServerStream) error {
	for {
		in := new(wrapperspb.StringValue)
		switch err := s.RecvMsg(in); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
		if err := srv.(*echo).look(s.Context(), in.GetValue()); err != nil {
			return err
		}
		if err := s.SendMsg(in); err != nil {
			return err
		}
	}
}

var service = rpc.ServiceDesc{
	ServiceName: "test.Echo",
	HandlerType: (*any)(nil),
	Methods:     []rpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
	Streams: []rpc.StreamDesc{
		{StreamName: "Both", Handler: stream, ServerStreams: true, ClientStreams: true},
		{StreamName: "Server", Handler: stream, ServerStreams: true},
		{StreamName: "Client", Handler: stream, ClientStreams: true},
	},
}

// fixture is a server and a client of it.
type fixture struct {
	conn *rpc.ClientConn
	stop func()
}

func start(t *testing.T, s side, impl *echo, serverOpts []rpc.ServerOption, clientOpts []rpc.DialOption) *fixture {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := s.server(serverOpts...)
	srv.RegisterService(&service, impl)
	go srv.Serve(lis)
	conn, err := s.client(lis.Addr().String(), append(clientOpts, rpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{conn: conn}
	f.stop = func() {
		conn.Close()
		srv.GracefulStop()
	}
	return f
}

func (f *fixture) unary(ctx context.Context, text string) error {
	return f.conn.Invoke(ctx, "/test.Echo/Unary", wrapperspb.String(text), new(wrapperspb.StringValue))
}

// stream sends texts on a stream and returns the error that ends it.
func (f *fixture) stream(ctx context.Context, method string, texts ...string) error {
	desc := service.Streams[slices.IndexFunc(service.Streams, func(d rpc.StreamDesc) bool { return d.StreamName == method })]
	s, err := f.conn.NewStream(ctx, &desc, "/test.Echo/"+method)
	if err != nil {
		return err
	}
	for _, text := range texts {
		if err := s.SendMsg(wrapperspb.String(text)); err != nil && err != io.EOF {
			return err
		}
	}
	s.CloseSend()
	for {
		if err := s.RecvMsg(new(wrapperspb.StringValue)); err != nil {
			return err
		}
		if !desc.ServerStreams {
			return nil
		}
	}
}

// waitFor waits until n spans have ended: a server's span ends after the client has the answer.
func (tel *telemetry) waitFor(t *testing.T, n int) tracetest.SpanStubs {
	t.Helper()
	for end := time.Now().Add(10 * time.Minute); len(tel.spans.GetSpans()) < n && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	spans := tel.spans.GetSpans()
	if len(spans) != n {
		t.Fatalf("%d spans, not %d", len(spans), n)
	}
	return spans
}

var volatile = map[string]bool{"server.port": true, "network.peer.port": true}

// dump describes the spans and metrics, without what differs from run to run.
func (tel *telemetry) dump(t *testing.T, n int) string {
	t.Helper()
	spans := tel.waitFor(t, n)
	names := map[trace.SpanID]string{}
	for _, s := range spans {
		names[s.SpanContext.SpanID()] = s.SpanKind.String() + " " + s.Name
	}
	var lines []string
	for _, s := range spans {
		var attrs []string
		for _, a := range s.Attributes {
			if !volatile[string(a.Key)] {
				attrs = append(attrs, string(a.Key)+"="+a.Value.Emit())
			}
		}
		sort.Strings(attrs)
		lines = append(lines, fmt.Sprintf("span %s %s parent=%q remote=%v status=%v scope=%s links=%d %v", s.SpanKind, s.Name, names[s.Parent.SpanID()],
			s.Parent.IsRemote(), s.Status, s.InstrumentationScope.Name, len(s.Links), attrs))
	}
	return strings.Join(append(tidy(lines), tel.metrics(t)...), "\n")
}

func tidy(lines []string) []string {
	sort.Strings(lines)
	return lines
}

func (tel *telemetry) metrics(t *testing.T) []string {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := tel.reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			h, ok := m.Data.(metricdata.Histogram[float64])
			if !ok {
				lines = append(lines, fmt.Sprintf("metric %s %T", m.Name, m.Data))
				continue
			}
			for _, p := range h.DataPoints {
				var attrs []string
				for _, a := range p.Attributes.ToSlice() {
					if !volatile[string(a.Key)] {
						attrs = append(attrs, string(a.Key)+"="+a.Value.Emit())
					}
				}
				lines = append(lines, fmt.Sprintf("metric %s %s %d %v %v", m.Name, m.Unit, p.Count, p.Bounds, attrs))
			}
		}
	}
	return tidy(lines)
}
