package pgx

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/database"
	"github.com/otelobj/otelobj/hooks/rt/contexts"
)

// Version is the version of the instrumentation scope.
const Version = "0.1.0"

var scope = database.Scope{Name: "github.com/otelobj/otelobj/hooks/instrumentation/pgx", Version: Version}

// Each method calls the program's tracer first. Its context is the one that ours adds to, so that it finds there what it has put there.

var (
	_ pgx.QueryTracer    = (*tracer)(nil)
	_ pgx.BatchTracer    = (*tracer)(nil)
	_ pgx.CopyFromTracer = (*tracer)(nil)
	_ pgx.PrepareTracer  = (*tracer)(nil)
	_ pgx.ConnectTracer  = (*tracer)(nil)
)

type operationKey struct{}

// operationContext hands an operation from the beginning of a call to its end.
type operationContext struct {
	context.Context
	operation *database.Operation
}

// Value implements context.Context.
func (c *operationContext) Value(key any) any {
	if key == (operationKey{}) {
		return c.operation
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer.
func (c *operationContext) String() string { return contexts.Name(c.Context) }

func with(o *database.Operation, outer context.Context) context.Context {
	return contexts.Offering(&operationContext{o.Context, o}, outer)
}

// end ends the operation that the context was made for. A tracer of the program's may have made its own context for a call inside this one, but a
// method's end always gets what its beginning has returned.
func end(ctx context.Context, err error) {
	if c, ok := contexts.Offered(ctx).(*operationContext); ok {
		c.operation.End(err)
	}
}

// TraceQueryStart implements pgx.QueryTracer: Query, QueryRow and Exec.
func (t *tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if t.theirs != nil {
		ctx = t.theirs.TraceQueryStart(ctx, conn, data)
	}
	name := ""
	if sql := strings.TrimSpace(data.SQL); sql == "-- ping" || sql == ";" { // what (*Conn).Ping sends
		name = database.Ping
		return with(scope.Start(ctx, t.db, name, ""), ctx)
	}
	return with(scope.Start(ctx, t.db, name, data.SQL), ctx)
}

// TraceQueryEnd implements pgx.QueryTracer. Of a query it is called when the rows are closed.
func (t *tracer) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	if t.theirs != nil {
		t.theirs.TraceQueryEnd(ctx, conn, data)
	}
	end(ctx, data.Err)
}

// TraceBatchStart implements pgx.BatchTracer.
func (t *tracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	if theirs, ok := t.theirs.(pgx.BatchTracer); ok {
		ctx = theirs.TraceBatchStart(ctx, conn, data)
	}
	o := scope.Start(ctx, t.db, database.Batch, "")
	if data.Batch != nil {
		o.SetBatchSize(data.Batch.Len())
	}
	return with(o, ctx)
}

// TraceBatchQuery implements pgx.BatchTracer. It is called when the result of a statement has been read; when that began is not known.
func (t *tracer) TraceBatchQuery(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchQueryData) {
	if theirs, ok := t.theirs.(pgx.BatchTracer); ok {
		theirs.TraceBatchQuery(ctx, conn, data)
	}
	scope.Start(ctx, t.db, "", data.SQL).EndUnmeasured(data.Err)
}

// TraceBatchEnd implements pgx.BatchTracer.
func (t *tracer) TraceBatchEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchEndData) {
	if theirs, ok := t.theirs.(pgx.BatchTracer); ok {
		theirs.TraceBatchEnd(ctx, conn, data)
	}
	end(ctx, data.Err)
}

// TraceCopyFromStart implements pgx.CopyFromTracer.
func (t *tracer) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	if theirs, ok := t.theirs.(pgx.CopyFromTracer); ok {
		ctx = theirs.TraceCopyFromStart(ctx, conn, data)
	}
	return with(scope.StartOn(ctx, t.db, database.Copy, strings.Join(data.TableName, ".")), ctx)
}

// TraceCopyFromEnd implements pgx.CopyFromTracer.
func (t *tracer) TraceCopyFromEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceCopyFromEndData) {
	if theirs, ok := t.theirs.(pgx.CopyFromTracer); ok {
		theirs.TraceCopyFromEnd(ctx, conn, data)
	}
	end(ctx, data.Err)
}

// TracePrepareStart implements pgx.PrepareTracer: Prepare, and what pgx prepares for a query on its own.
func (t *tracer) TracePrepareStart(ctx context.Context, conn *pgx.Conn, data pgx.TracePrepareStartData) context.Context {
	if theirs, ok := t.theirs.(pgx.PrepareTracer); ok {
		ctx = theirs.TracePrepareStart(ctx, conn, data)
	}
	return with(scope.Start(ctx, t.db, database.Prepare, data.SQL), ctx)
}

// TracePrepareEnd implements pgx.PrepareTracer.
func (t *tracer) TracePrepareEnd(ctx context.Context, conn *pgx.Conn, data pgx.TracePrepareEndData) {
	if theirs, ok := t.theirs.(pgx.PrepareTracer); ok {
		theirs.TracePrepareEnd(ctx, conn, data)
	}
	end(ctx, data.Err)
}

// TraceConnectStart implements pgx.ConnectTracer. Pools connect in the background, too: what nobody has asked for has a span only if it fails.
//
// The program's tracer finds itself in the configuration. What it puts there instead is its tracer from then on, as it would be without ours.
func (t *tracer) TraceConnectStart(ctx context.Context, data pgx.TraceConnectStartData) context.Context {
	t.config = data.ConnConfig
	if theirs, ok := t.theirs.(pgx.ConnectTracer); ok {
		t.connected = theirs
		t.leave(t.config)
		ctx = theirs.TraceConnectStart(ctx, data)
		if t.theirs = t.config.Tracer; !database.MakesSpans(reflect.ValueOf(t.theirs)) {
			t.config.Tracer = t
		}
	}
	t.began = time.Now()
	if !trace.SpanContextFromContext(active.Context(ctx)).IsValid() {
		return ctx
	}
	return with(scope.StartAt(ctx, t.db, database.Connect, t.began), ctx)
}

// TraceConnectEnd implements pgx.ConnectTracer. By now pgx has taken the tracer, and the program may ask the connection for its own.
func (t *tracer) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	if t.config != nil {
		t.leave(t.config)
		t.config = nil
	}
	if t.connected != nil {
		t.connected.TraceConnectEnd(ctx, data)
	}
	if _, ok := contexts.Offered(ctx).(*operationContext); !ok && data.Err != nil {
		ctx = with(scope.StartAt(ctx, t.db, database.Connect, t.began), ctx)
	}
	end(ctx, data.Err)
}
