// Package pool has the hooks of github.com/jackc/pgx/v5/pgxpool: metrics of its pools, and the wait for a connection.
package pool

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/database"
)

// HookContext is what the hooks need of the call.
type HookContext interface {
	SetData(data any)
	GetData() any
	Unwound() (panicValue any, goexit, ok bool)
}

// Pools that are open: *pgxpool.Pool to *described. pgx has a goroutine for each until it is closed, so that this map keeps nothing in memory that would
// not be.
var open sync.Map

// described is what the hooks know of a pool.
type described struct {
	*database.Database
	yields bool // the program traces it itself
}

// AfterNew runs when pgxpool.NewWithConfig(ctx, config) has returned.
func AfterNew(_ HookContext, p *pgxpool.Pool, _ error) {
	if p == nil {
		return
	}
	d := describe(p)
	open.Store(p, d)
	if !d.yields {
		scope.Prepare()
	}
}

// BeforeClose runs before (*Pool).Close().
func BeforeClose(_ HookContext, p *pgxpool.Pool) {
	v, ok := open.LoadAndDelete(p)
	if d, _ := v.(*described); ok && !d.yields {
		keep(d, p.Stat())
	}
}

func describe(p *pgxpool.Pool) *described {
	t := database.Target{System: database.PostgreSQL}
	config := p.Config().ConnConfig
	t.Set(config.Host, int(config.Port), config.Database)
	return &described{database.For(t), database.MakesSpans(reflect.ValueOf(config.Tracer))}
}

// worthASpan is how long a wait must be to have one: a connection that is idle is had in less.
const worthASpan = time.Millisecond

// waiting is a call of Acquire.
type waiting struct {
	pool  *described
	ctx   context.Context
	began time.Time
}

// BeforeAcquire runs before (*Pool).Acquire(ctx). Query, Exec, Begin and the others of a pool lead here.
func BeforeAcquire(call HookContext, p *pgxpool.Pool, ctx context.Context) {
	if p == nil || ctx == nil {
		return // what the program gets for that is its own affair
	}
	v, ok := open.Load(p)
	if !ok { // made while the hooks were off, or closed
		v = describe(p)
	}
	if d := v.(*described); !d.yields {
		call.SetData(&waiting{d, ctx, time.Now()})
	}
}

// AfterAcquire runs when it has returned.
func AfterAcquire(call HookContext, _ *pgxpool.Conn, err error) {
	w, ok := call.GetData().(*waiting)
	if !ok {
		return
	}
	if _, _, unwound := call.Unwound(); unwound {
		return
	}
	took := time.Since(w.began)
	waited(w, took)
	if err != nil || took >= worthASpan && trace.SpanContextFromContext(active.Context(w.ctx)).IsValid() {
		scope.StartAt(w.ctx, w.pool.Database, database.Acquire, w.began).EndUnmeasured(err)
	}
}
