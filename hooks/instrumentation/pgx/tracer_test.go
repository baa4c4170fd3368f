package pgx

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// hookContext is what the stub gives the hooks.
type hookContext struct{ data any }

func (c *hookContext) SetData(data any) { c.data = data }
func (c *hookContext) GetData() any     { return c.data }

// own is a tracer of the program's, which insists on its own type.
type own struct {
	t            *testing.T
	next         pgx.QueryTracer // set at the start, if not nil
	starts, ends int
	queries      int
}

func (o *own) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	o.queries++
	return ctx
}

func (o *own) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (o *own) TraceConnectStart(ctx context.Context, data pgx.TraceConnectStartData) context.Context {
	o.starts++
	if data.ConnConfig.Tracer != pgx.QueryTracer(o) {
		o.t.Errorf("at the start: %T", data.ConnConfig.Tracer)
	}
	if o.next != nil {
		data.ConnConfig.Tracer = o.next
	}
	return ctx
}

func (o *own) TraceConnectEnd(_ context.Context, data pgx.TraceConnectEndData) {
	o.ends++
	want := pgx.QueryTracer(o)
	if o.next != nil {
		want = o.next
	}
	if data.Conn != nil && data.Conn.Config().Tracer != want {
		o.t.Errorf("at the end: %T", data.Conn.Config().Tracer)
	}
}

// connect does what pgx does with the hooks in it.
func connect(t *testing.T, theirs pgx.QueryTracer, dial func(context.Context, string, string) (net.Conn, error)) (*pgx.Conn, error) {
	t.Helper()
	config, err := pgx.ParseConfig("postgres://app@127.0.0.1/shop?sslmode=disable&default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatal(err)
	}
	config.DialFunc = dial
	config.Tracer = &entry{theirs: theirs}
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if last := config.Tracer.(*entry).hooks; last == nil || last.data == nil {
		t.Fatal("no tracer of ours")
	}
	return conn, err
}

// entry stands for the hooks of connect: pgx asks it as the first thing that it does there.
type entry struct {
	pgx.QueryTracer
	theirs pgx.QueryTracer
	hooks  *hookContext
}

func (e *entry) TraceConnectStart(ctx context.Context, data pgx.TraceConnectStartData) context.Context {
	e.hooks = &hookContext{}
	data.ConnConfig.Tracer = e.theirs
	BeforeConnect(e.hooks, ctx, data.ConnConfig)
	return data.ConnConfig.Tracer.(*tracer).TraceConnectStart(ctx, data)
}

func (e *entry) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	e.hooks.data.(*connecting).ours.TraceConnectEnd(ctx, data)
	AfterConnect(e.hooks, data.Conn, data.Err)
}

func dialFake(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go serve(server)
	return client, nil
}

func dialNothing(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("refused")
}

// serve is a server that lets everybody in, and for which every statement is empty.
func serve(c net.Conn) {
	defer c.Close()
	b := pgproto3.NewBackend(c, c)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	b.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	for {
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if b.Flush() != nil {
			return
		}
		m, err := b.Receive()
		if _, ok := m.(*pgproto3.Query); err != nil || !ok {
			return
		}
		b.Send(&pgproto3.EmptyQueryResponse{})
	}
}

// A program's tracer finds itself in the configurations that pgx shows it, and ours stays beside it.
func TestTheProgramSeesItsOwnTracer(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		mine := &own{t: t}
		queried := mine
		if replaced {
			mine.next = &own{t: t}
			queried = mine.next.(*own)
		}
		conn, err := connect(t, mine, dialFake)
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.Config().Tracer; got != pgx.QueryTracer(queried) {
			t.Errorf("afterwards: %T", got)
		}
		if _, err := conn.Exec(context.Background(), ";"); err != nil {
			t.Error(err)
		}
		conn.Close(context.Background())
		if mine.starts != 1 || mine.ends != 1 || queried.queries != 1 {
			t.Errorf("replaced %v: %d starts, %d ends, %d queries", replaced, mine.starts, mine.ends, queried.queries)
		}
	}
	mine := &own{t: t}
	if _, err := connect(t, mine, dialNothing); err == nil || mine.starts != 1 || mine.ends != 1 {
		t.Error(err, mine.starts, mine.ends)
	}
	if conn, err := connect(t, nil, dialFake); err != nil || conn.Config().Tracer != nil {
		t.Error(err)
	}
}
