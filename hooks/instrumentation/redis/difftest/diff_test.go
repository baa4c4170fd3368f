package difftest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sort"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	otelv8 "github.com/go-redis/redis/extra/redisotel/v8"
	redisv8 "github.com/go-redis/redis/v8"
	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	hooks "github.com/otelobj/otelobj/hooks/instrumentation/redis"
	hooksv8 "github.com/otelobj/otelobj/hooks/instrumentation/redis/v8"
	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// telemetry collects what one side of a comparison emits.
type telemetry struct {
	spans  *tracetest.InMemoryExporter
	reader *metric.ManualReader
}

var meterProvider = metric.NewMeterProvider(metric.WithReader(reader))
var reader = metric.NewManualReader()

// collect makes fresh global providers. That of metrics stays, as the pools of all clients report to one.
func collect(t *testing.T) *telemetry {
	t.Helper()
	tel := &telemetry{spans: tracetest.NewInMemoryExporter(), reader: reader}
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(tel.spans)))
	otel.SetMeterProvider(meterProvider)
	return tel
}

// newClient is redis.NewClient in an instrumented program.
func newClient(o *redis.Options) *redis.Client {
	c := redis.NewClient(o)
	hooks.AfterNewClient(hooktest.New(o), c)
	return c
}

func newClientV8(o *redisv8.Options) *redisv8.Client {
	c := redisv8.NewClient(o)
	hooksv8.AfterNewClient(hooktest.New(o), c)
	return c
}

// ended are the spans that have ended, but for those of handshakes, which are below those of commands: in an instrumented program the library's own functions say
// what they are.
func (tel *telemetry) ended() tracetest.SpanStubs {
	clients := map[trace.SpanID]bool{}
	for _, s := range tel.spans.GetSpans() {
		clients[s.SpanContext.SpanID()] = s.SpanKind == trace.SpanKindClient
	}
	var kept tracetest.SpanStubs
	for _, s := range tel.spans.GetSpans() {
		if !clients[s.Parent.SpanID()] {
			kept = append(kept, s)
		}
	}
	return kept
}

// names are the spans' names, parents and states, in the order in which they ended.
func (tel *telemetry) names() []string {
	ids := map[trace.SpanID]string{}
	for _, s := range tel.spans.GetSpans() {
		ids[s.SpanContext.SpanID()] = s.Name
	}
	var names []string
	for _, s := range tel.ended() {
		names = append(names, fmt.Sprintf("%s %s <%s> %s", s.SpanKind, s.Name, ids[s.Parent.SpanID()], s.Status.Code))
	}
	return names
}

func attributes(s tracetest.SpanStub) map[string]string {
	m := map[string]string{}
	for _, a := range s.Attributes {
		m[string(a.Key)] = a.Value.Emit()
	}
	return m
}

// commands are sent by each side.
func commands(t *testing.T, ctx context.Context, c *redis.Client) {
	t.Helper()
	if err := c.Set(ctx, "key", "secret", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(ctx, "nothing").Result(); err != redis.Nil {
		t.Error(err)
	}
	if err := c.LPush(ctx, "key", "x").Err(); err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE") {
		t.Error(err)
	}
	c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, "a", "secret", 0)
		p.Set(ctx, "b", "secret", 0)
		return nil
	})
	c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Get(ctx, "a")
		p.LPush(ctx, "key", "x")
		return nil
	})
	c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, "n")
		p.Get(ctx, "nothing")
		return nil
	})
	c.Watch(ctx, func(tx *redis.Tx) error {
		tx.Get(ctx, "a")
		return nil
	}, "a")
}

// TestSameAsRedisotel: as many spans, of the same kind, with the same parents and states. Names of pipelines differ, and so do attributes: see the package's comment.
func TestSameAsRedisotel(t *testing.T) {
	short := func(name string) string {
		kind, rest, _ := strings.Cut(name, " ")
		for _, prefix := range []string{"redis.pipeline", "PIPELINE", "MULTI"} {
			if strings.HasPrefix(rest, prefix) {
				_, rest, _ = strings.Cut(rest, "<")
				rest = "pipeline <" + rest
			}
		}
		return kind + " " + rest
	}
	var sides [2]string
	for i, make := range []func(*redis.Options) *redis.Client{
		func(o *redis.Options) *redis.Client {
			c := redis.NewClient(o)
			redisotel.InstrumentTracing(c, redisotel.WithDialFilter(true))
			return c
		},
		newClient,
	} {
		tel := collect(t)
		srv := miniredis.RunT(t)
		c := make(&redis.Options{Addr: srv.Addr(), DisableIdentity: true, Protocol: 2, PoolSize: 1})
		// The connection is made before, since redisotel has spans for its handshake.
		c.Ping(context.Background())
		tel.spans.Reset()
		ctx, parent := otel.Tracer("test").Start(context.Background(), "parent")
		commands(t, ctx, c)
		parent.End()
		names := tel.names()
		for j := range names {
			names[j] = short(names[j])
		}
		sides[i] = strings.Join(names, "\n")
		c.Close()
	}
	if sides[0] != sides[1] || !strings.Contains(sides[1], "Client set <parent> Unset") && !strings.Contains(sides[1], "client set <parent> Unset") {
		t.Errorf("redisotel:\n%s\nhooked:\n%s", sides[0], sides[1])
	}
}

func TestAttributes(t *testing.T) {
	tel := collect(t)
	srv := miniredis.RunT(t)
	srv.RequireAuth("hunter2")
	c := newClient(&redis.Options{Addr: srv.Addr(), DB: 3, Password: "hunter2", ClientName: "me"})
	defer c.Close()
	commands(t, context.Background(), c)
	host, port, _ := net.SplitHostPort(srv.Addr())
	spans := tel.ended()
	want := []string{"set", "get", "lpush", "PIPELINE set", "PIPELINE", "MULTI", "watch", "get", "unwatch"}
	if len(spans) != len(want) {
		t.Fatal(tel.names())
	}
	for i, s := range spans {
		a := attributes(s)
		if s.Name != want[i] || s.SpanKind != trace.SpanKindClient || a["db.system.name"] != "redis" || a["db.namespace"] != "3" || a["db.operation.name"] != want[i] ||
			a["server.address"] != host || a["server.port"] != port {
			t.Error(s.Name, a)
		}
		if text := fmt.Sprint(s); strings.Contains(text, "secret") || strings.Contains(text, "hunter2") {
			t.Error(text)
		}
	}
	if a := attributes(spans[0]); a["db.query.text"] != "set ? ?" {
		t.Error(a)
	}
	if a := attributes(spans[2]); a["db.response.status_code"] != "WRONGTYPE" || a["error.type"] != "WRONGTYPE" || !strings.HasPrefix(spans[2].Status.Description, "WRONGTYPE ") {
		t.Error(a, spans[2].Status)
	}
	for i, size := range map[int]string{3: "2", 4: "2", 5: "2"} {
		if a := attributes(spans[i]); a["db.operation.batch.size"] != size {
			t.Error(a)
		}
	}
	if spans[1].Status.Code != 0 || spans[4].Status.Description == "" || spans[5].Status.Code != 0 {
		t.Error(tel.names())
	}
}

func TestMetrics(t *testing.T) {
	collect(t)
	srv := miniredis.RunT(t)
	c := newClient(&redis.Options{Addr: srv.Addr(), PoolSize: 7, MinIdleConns: 1})
	c.Set(context.Background(), "k", "v", 0)
	c.LPush(context.Background(), "k", "v")
	points := read(t)
	_, port, _ := net.SplitHostPort(srv.Addr())
	for _, want := range []string{
		"db.client.operation.duration s db.namespace=0 db.operation.name=set db.system.name=redis server.address=127.0.0.1 server.port=" + port + " = 1",
		"db.client.operation.duration s db.namespace=0 db.operation.name=lpush db.response.status_code=WRONGTYPE db.system.name=redis error.type=WRONGTYPE server.address=127.0.0.1 server.port=" +
			port + " = 1",
		"db.client.connection.max {connection} db.client.connection.pool.name=" + srv.Addr() + " db.system.name=redis = 7",
		"db.client.connection.idle.min {connection} db.client.connection.pool.name=" + srv.Addr() + " db.system.name=redis = 1",
		"db.client.connection.count {connection} db.client.connection.pool.name=" + srv.Addr() + " db.client.connection.state=used db.system.name=redis = 0",
	} {
		if !points[want] {
			t.Errorf("no %s in %v", want, points)
		}
	}
	c.Close()
	runtime.KeepAlive(c)
}

func read(t *testing.T) map[string]bool {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	points := map[string]bool{}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			add := func(set attribute.Set, v any) {
				text := []string{m.Name, m.Unit}
				for _, a := range set.ToSlice() {
					text = append(text, string(a.Key)+"="+a.Value.Emit())
				}
				points[strings.Join(text, " ")+fmt.Sprint(" = ", v)] = true
			}
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Count)
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Value)
				}
			}
		}
	}
	return points
}

// TestBadServers: the program gets the error that it would have got, and the span says what it is.
func TestBadServers(t *testing.T) {
	gone := miniredis.RunT(t)
	addr := gone.Addr()
	gone.Close()
	locked := miniredis.RunT(t)
	locked.RequireAuth("hunter2")
	for name, o := range map[string]*redis.Options{
		"nobody there":   {Addr: addr, MaxRetries: -1},
		"wrong password": {Addr: locked.Addr(), Password: "wrong-secret", MaxRetries: -1},
		"no password":    {Addr: locked.Addr(), MaxRetries: -1},
	} {
		tel := collect(t)
		c, plain := newClient(o), redis.NewClient(o)
		err, want := c.Get(context.Background(), "k").Err(), plain.Get(context.Background(), "k").Err()
		if err == nil || err.Error() != want.Error() || fmt.Sprintf("%T", err) != fmt.Sprintf("%T", want) {
			t.Error(name, err, want)
		}
		spans := tel.ended()
		if len(spans) != 1 || spans[0].Status.Code.String() != "Error" || attributes(spans[0])["error.type"] == "" || strings.Contains(fmt.Sprint(spans), "secret") {
			t.Error(name, spans)
		}
		c.Close()
		plain.Close()
	}
}

// order is a hook of a program's.
type order struct {
	name string
	seen *[]string
}

func (o order) DialHook(next redis.DialHook) redis.DialHook { return next }
func (o order) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		*o.seen = append(*o.seen, o.name)
		if !trace.SpanFromContext(ctx).IsRecording() {
			*o.seen = append(*o.seen, "no span")
		}
		if cmd.Name() == "panic" {
			panic("mine")
		}
		return next(ctx, cmd)
	}
}
func (o order) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestHooksOfTheProgram(t *testing.T) {
	tel := collect(t)
	srv := miniredis.RunT(t)
	c := newClient(&redis.Options{Addr: srv.Addr(), Protocol: 2, DisableIdentity: true})
	defer c.Close()
	c.Ping(context.Background())
	var seen []string
	c.AddHook(order{"a", &seen})
	c.AddHook(order{"b", &seen})
	c.Get(context.Background(), "k")
	if strings.Join(seen, " ") != "a b" {
		t.Error(seen)
	}
	func() {
		defer func() {
			if v := recover(); v != "mine" {
				t.Error(v)
			}
		}()
		c.Do(context.Background(), "panic")
	}()
	spans := tel.ended()
	if len(spans) != 3 || spans[2].Status.Code.String() != "Error" {
		t.Error(tel.names())
	}
}

// TestYield: redisotel in a program that is instrumented, with our hooks in it.
func TestYield(t *testing.T) {
	tel := collect(t)
	srv := miniredis.RunT(t)
	c := newClient(&redis.Options{Addr: srv.Addr(), Protocol: 2, DisableIdentity: true})
	defer c.Close()
	c.AddHook(yielding{})
	redisotel.InstrumentTracing(c, redisotel.WithDialFilter(true))
	ctx, parent := otel.Tracer("test").Start(context.Background(), "parent")
	c.Get(ctx, "k")
	c.Get(ctx, "k")
	c.Pipelined(ctx, func(p redis.Pipeliner) error { p.Get(ctx, "k"); return nil })
	parent.End()
	for _, s := range tel.spans.GetSpans() {
		if s.Name != "parent" && (s.InstrumentationScope.Name != "github.com/redis/go-redis/extra/redisotel" || s.Parent.SpanID() != parent.SpanContext().SpanID() && s.Name != "hello") {
			t.Error(s.Name, s.InstrumentationScope.Name)
		}
	}
	if n := len(tel.spans.GetSpans()); n < 4 {
		t.Error(tel.names())
	}
}

// yielding calls what a rule calls before redisotel's functions.
type yielding struct{}

func (yielding) DialHook(next redis.DialHook) redis.DialHook { return next }
func (yielding) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		ictx := hooktest.New(ctx, cmd)
		hooks.BeforeTracing(ictx, ctx, cmd)
		return next(ictx.GetParam(0).(context.Context), cmd)
	}
}
func (yielding) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		ictx := hooktest.New(ctx, cmds)
		hooks.BeforePipelineTracing(ictx, ctx, cmds)
		return next(ictx.GetParam(0).(context.Context), cmds)
	}
}

func TestV8(t *testing.T) {
	tel := collect(t)
	srv := miniredis.RunT(t)
	c := newClientV8(&redisv8.Options{Addr: srv.Addr(), DB: 2, MaxRetries: -1})
	defer c.Close()
	ctx, parent := otel.Tracer("test").Start(context.Background(), "parent")
	c.Set(ctx, "key", "secret", 0)
	if err := c.Get(ctx, "nothing").Err(); err != redisv8.Nil {
		t.Error(err)
	}
	if err := c.LPush(ctx, "key", "x").Err(); err == nil {
		t.Error("no error")
	}
	c.Pipelined(ctx, func(p redisv8.Pipeliner) error {
		p.Set(ctx, "a", "secret", 0)
		p.Set(ctx, "b", "secret", 0)
		return nil
	})
	c.TxPipelined(ctx, func(p redisv8.Pipeliner) error {
		p.Incr(ctx, "n")
		p.Get(ctx, "nothing")
		return nil
	})
	srv.Close()
	if err := c.Get(ctx, "key").Err(); err == nil || errors.Is(err, redisv8.Nil) {
		t.Error(err)
	}
	parent.End()
	names := tel.names()
	want := []string{"client set <parent> Unset", "client get <parent> Unset", "client lpush <parent> Error", "client PIPELINE set <parent> Unset", "client MULTI <parent> Unset",
		"client get <parent> Error", "internal parent <> Unset"}
	if strings.Join(names, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(names, "\n"))
	}
	if text := fmt.Sprint(tel.spans.GetSpans()); strings.Contains(text, "secret") {
		t.Error(text)
	}
}

// TestYieldV8: redisotel's span has the parent that it would have had, and ours is gone.
func TestYieldV8(t *testing.T) {
	tel := collect(t)
	srv := miniredis.RunT(t)
	c := newClientV8(&redisv8.Options{Addr: srv.Addr()})
	defer c.Close()
	c.AddHook(yieldingV8{otelv8.NewTracingHook()})
	ctx, parent := otel.Tracer("test").Start(context.Background(), "parent")
	c.Get(ctx, "k")
	c.Pipelined(ctx, func(p redisv8.Pipeliner) error { p.Get(ctx, "k"); return nil })
	c.Get(ctx, "k")
	parent.End()
	names := tel.names()
	sort.Strings(names)
	if want := "client get <parent> Unset\nclient get <parent> Unset\nclient pipeline get <parent> Unset\ninternal parent <> Unset"; strings.Join(names, "\n") != want {
		t.Errorf("%s", strings.Join(names, "\n"))
	}
}

type yieldingV8 struct{ *otelv8.TracingHook }

func (y yieldingV8) BeforeProcess(ctx context.Context, cmd redisv8.Cmder) (context.Context, error) {
	ictx := hooktest.New(y.TracingHook, ctx, cmd)
	hooksv8.BeforeTracing(ictx, y.TracingHook, ctx, cmd)
	return y.TracingHook.BeforeProcess(ictx.GetParam(1).(context.Context), cmd)
}

func (y yieldingV8) BeforeProcessPipeline(ctx context.Context, cmds []redisv8.Cmder) (context.Context, error) {
	ictx := hooktest.New(y.TracingHook, ctx, cmds)
	hooksv8.BeforePipelineTracing(ictx, y.TracingHook, ctx, cmds)
	return y.TracingHook.BeforeProcessPipeline(ictx.GetParam(1).(context.Context), cmds)
}
