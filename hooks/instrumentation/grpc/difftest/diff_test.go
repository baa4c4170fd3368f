package difftest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	experimental "google.golang.org/grpc/experimental/opentelemetry"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/stats/opentelemetry"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// calls are made by each side; together they make 20 spans.
func calls(t *testing.T, f *fixture) {
	ctx := context.Background()
	for _, text := range []string{"hello", "fail precondition", "internal error", "plain error"} {
		err := f.unary(ctx, text)
		if (text == "hello") != (err == nil) {
			t.Errorf("%s: %v", text, err)
		}
	}
	f.stream(ctx, "Both", "a", "b", "c")
	f.stream(ctx, "Both", "a", "fail b", "c")
	f.stream(ctx, "Server", "a")
	f.stream(ctx, "Client", "a")
	cancelled, cancel := context.WithCancel(ctx)
	s, err := f.conn.NewStream(cancelled, &rpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Echo/Both")
	if err == nil {
		s.SendMsg(wrapperspb.String("x"))
		s.RecvMsg(new(wrapperspb.StringValue))
	}
	cancel()
	if err := s.RecvMsg(new(wrapperspb.StringValue)); status.Code(err) != codes.Canceled {
		t.Error(err)
	}
	sctx, span := otel.Tracer("test").Start(ctx, "parent")
	f.unary(sctx, "with a parent")
	span.End()
}

const callsMake = 2*10 + 1

func TestSameAsOtelgrpc(t *testing.T) {
	var dumps [2]string
	for i, s := range []side{byHand, hooked} {
		tel := collect(t)
		f := start(t, s, &echo{}, nil, nil)
		calls(t, f)
		f.stop() // which waits for the server's metrics, recorded after its spans
		dumps[i] = tel.dump(t, callsMake)
	}
	if dumps[0] != dumps[1] {
		t.Errorf("by hand:\n%s\nhooked:\n%s", dumps[0], dumps[1])
	}
	if !strings.Contains(dumps[1], "span client test.Echo/Both") || !strings.Contains(dumps[1], "metric rpc.server") {
		t.Error(dumps[1])
	}
}

func TestSameWithNobodyThere(t *testing.T) {
	var dumps [2]string
	for i, s := range []side{byHand, hooked} {
		tel := collect(t)
		conn, err := s.client("127.0.0.1:1", rpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		if err := (&fixture{conn: conn}).unary(context.Background(), "x"); status.Code(err) != codes.Unavailable {
			t.Error(err)
		}
		dumps[i] = tel.dump(t, 1)
		conn.Close()
	}
	if dumps[0] != dumps[1] || !strings.Contains(dumps[1], "status={Error") {
		t.Errorf("by hand:\n%s\nhooked:\n%s", dumps[0], dumps[1])
	}
}

// TestUnknownMethods: a stranger's choice is no name and on no metric.
func TestUnknownMethods(t *testing.T) {
	tel := collect(t)
	f := start(t, hooked, &echo{}, nil, nil)
	target := f.conn.Target()
	long := "/test.Echo/" + strings.Repeat("x", 5000)
	for _, method := range []string{"/test.Echo/Nothing", "/nobody/home", long} {
		plain, err := rpc.NewClient(target, rpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		if err := plain.Invoke(context.Background(), method, wrapperspb.String(""), new(wrapperspb.StringValue)); status.Code(err) != codes.Unimplemented {
			t.Error(err)
		}
		plain.Close()
	}
	f.stop()
	for _, s := range tel.waitFor(t, 3) {
		original := ""
		for _, a := range s.Attributes {
			if a.Key == "rpc.method_original" {
				original = a.Value.AsString()
			}
		}
		if s.Name != "grpc" || original == "" || len(original) > 4096 || len(s.Status.Description) > 4096 {
			t.Errorf("%s %v %v", s.Name, s.Attributes, s.Status)
		}
	}
	for _, line := range tel.metrics(t) {
		if strings.Contains(line, "Nothing") || strings.Contains(line, "nobody") || !strings.Contains(line, " 3 ") {
			t.Error(line)
		}
	}
}

// TestCodesThatServersMakeUp: each would be a time series.
func TestCodesThatServersMakeUp(t *testing.T) {
	tel := collect(t)
	f := start(t, hooked, &echo{}, nil, nil)
	for _, code := range []string{"17", "18", "2000000000"} {
		if err := f.unary(context.Background(), "code "+code); status.Convert(err).Message() != "made up" || err.(interface{ GRPCStatus() *status.Status }).GRPCStatus().Code() < 17 {
			t.Error(err)
		}
	}
	f.stop()
	for _, s := range tel.waitFor(t, 6) {
		if !strings.HasPrefix(s.Status.Description, "Code(") && s.SpanKind == trace.SpanKindClient {
			t.Error(s.SpanKind, s.Status)
		}
	}
	durations := 0
	for _, line := range tel.metrics(t) {
		if strings.Contains(line, "duration") {
			durations++
		}
		if strings.Contains(line, "duration") && !strings.Contains(line, " 3 ") || strings.Contains(line, "CODE") {
			t.Error(line)
		}
	}
	if durations < 2 {
		t.Errorf("%d metrics of durations", durations)
	}
}

// counter is a stats handler of a program's.
type counter struct{ tags, ends int }

func (c *counter) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	c.tags++
	return context.WithValue(ctx, counter{}, "mine")
}

func (c *counter) HandleRPC(_ context.Context, s stats.RPCStats) {
	if _, ok := s.(*stats.End); ok {
		c.ends++
	}
}
func (*counter) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*counter) HandleConn(context.Context, stats.ConnStats)                       {}

func TestOptionsOfTheProgramStayInForce(t *testing.T) {
	tel := collect(t)
	of := [2]*counter{{}, {}}
	var order []string
	mine := false
	intercept := func(name string) rpc.UnaryServerInterceptor {
		return func(ctx context.Context, req any, _ *rpc.UnaryServerInfo, handler rpc.UnaryHandler) (any, error) {
			order = append(order, name)
			mine = ctx.Value(counter{}) == "mine" && trace.SpanFromContext(ctx).IsRecording()
			return handler(ctx, req)
		}
	}
	f := start(t, hooked, &echo{}, []rpc.ServerOption{
		rpc.ChainUnaryInterceptor(intercept("b"), intercept("c")), rpc.UnaryInterceptor(intercept("a")), rpc.StatsHandler(of[0]),
	}, []rpc.DialOption{rpc.WithStatsHandler(of[1])})
	if err := f.unary(context.Background(), "x"); err != nil {
		t.Fatal(err)
	}
	f.stop()
	tel.waitFor(t, 2)
	for _, c := range of {
		if *c != (counter{1, 1}) {
			t.Errorf("%+v", *c)
		}
	}
	if strings.Join(order, "") != "abc" || !mine {
		t.Error(order, mine)
	}
}

// wrapped is a handler of a program's around one of otelgrpc.
type wrapped struct{ stats.Handler }

func TestYield(t *testing.T) {
	var plain string
	for i, opts := range []struct {
		server rpc.ServerOption
		client rpc.DialOption
	}{
		{},
		{rpc.StatsHandler(otelgrpc.NewServerHandler()), rpc.WithStatsHandler(otelgrpc.NewClientHandler())},
		{rpc.StatsHandler(&wrapped{otelgrpc.NewServerHandler()}), rpc.WithStatsHandler(wrapped{otelgrpc.NewClientHandler()})},
	} {
		tel := collect(t)
		if i == 0 {
			f := start(t, byHand, &echo{}, nil, nil)
			f.unary(context.Background(), "x")
			f.stop()
			plain = tel.dump(t, 2)
			continue
		}
		// Handlers are bound to the providers that they were made with.
		server, client := opts.server, opts.client
		if i == 1 {
			server, client = rpc.StatsHandler(otelgrpc.NewServerHandler()), rpc.WithStatsHandler(otelgrpc.NewClientHandler())
		} else {
			server, client = rpc.StatsHandler(&wrapped{otelgrpc.NewServerHandler()}), rpc.WithStatsHandler(wrapped{otelgrpc.NewClientHandler()})
		}
		f := start(t, hooked, &echo{}, []rpc.ServerOption{server}, []rpc.DialOption{client})
		f.unary(context.Background(), "x")
		f.stop()
		if got := tel.dump(t, 2); got != plain {
			t.Errorf("%d: plain:\n%s\ninstrumented:\n%s", i, plain, got)
		}
	}
}

func TestExportersAreNotTraced(t *testing.T) {
	tel := collect(t)
	f := start(t, hooked, &echo{}, nil, nil)
	const method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	err := f.conn.Invoke(context.Background(), method, wrapperspb.String(""), new(wrapperspb.StringValue))
	if status.Code(err) != codes.Unimplemented {
		t.Error(err)
	}
	f.stop()
	if s := tel.waitFor(t, 1); s[0].SpanKind != trace.SpanKindServer { // a collector is a server like any other
		t.Error(s)
	}
}

func TestBaggageArrives(t *testing.T) {
	tel := collect(t)
	got := ""
	f := start(t, hooked, &echo{seen: func(ctx context.Context) { got = baggage.FromContext(ctx).String() }}, nil, nil)
	member, _ := baggage.NewMember("k", "v")
	b, _ := baggage.New(member)
	f.unary(baggage.ContextWithBaggage(context.Background(), b), "x")
	f.stop()
	tel.waitFor(t, 2)
	if got != "k=v" {
		t.Error(got)
	}
}

// TestYieldToPlugin: gRPC's own instrumentation makes spans where its options say so, and otherwise only metrics.
func TestYieldToPlugin(t *testing.T) {
	for traced, want := range map[bool]string{true: "grpc-go", false: "otelgrpc"} {
		tel := collect(t)
		var options opentelemetry.Options
		options.MetricsOptions.MeterProvider = sdkmetric.NewMeterProvider()
		if traced {
			options.TraceOptions = experimental.TraceOptions{TracerProvider: otel.GetTracerProvider(), TextMapPropagator: otel.GetTextMapPropagator()}
		}
		f := start(t, hooked, &echo{}, []rpc.ServerOption{opentelemetry.ServerOption(options)}, []rpc.DialOption{opentelemetry.DialOption(options)})
		f.unary(context.Background(), "x")
		f.stop()
		found := map[string]int{}
		for _, span := range tel.spans.GetSpans() {
			found[fmt.Sprint(span.SpanKind, " ", span.InstrumentationScope.Name)]++
		}
		for scope, n := range found {
			if strings.HasPrefix(scope, "server") && n != 1 || strings.Contains(scope, "otelgrpc") == traced {
				t.Errorf("%v: %v, not only those of %s", traced, found, want)
			}
		}
		if len(found) < 2 {
			t.Error(traced, found)
		}
	}
}
