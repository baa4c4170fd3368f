package pgx

import (
	"context"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/otelobj/otelobj/hooks/database"
	"github.com/otelobj/otelobj/hooks/instrumentation/pgx/stdlib"
)

// HookContext is what the hooks need of the call.
type HookContext interface {
	SetData(data any)
	GetData() any
}

// connecting is a configuration whose tracer is replaced until pgx has taken it.
type connecting struct {
	config *pgx.ConnConfig
	ours   *tracer
}

// BeforeConnect runs before pgx.connect(ctx, config), for every connection. The configuration is a copy that pgx has made.
func BeforeConnect(ictx HookContext, ctx context.Context, config *pgx.ConnConfig) {
	if config == nil || ctx == nil || stdlib.IsQuiet(ctx) || database.MakesSpans(reflect.ValueOf(config.Tracer)) {
		return
	}
	ours := newTracer(config)
	ictx.SetData(&connecting{config, ours})
	config.Tracer = ours
}

// AfterConnect runs when it has returned. The connection has the tracer, and its configuration that of the program.
func AfterConnect(ictx HookContext, _ *pgx.Conn, _ error) {
	if c, ok := ictx.GetData().(*connecting); ok {
		c.ours.leave(c.config)
	}
}

// tracer is given to one connection.
type tracer struct {
	db        *database.Database
	theirs    pgx.QueryTracer   // nil if the program has none
	began     time.Time         // of connect
	connected pgx.ConnectTracer // theirs when connect began, nil if it does not care
	config    *pgx.ConnConfig   // until the end of connect
}

func newTracer(config *pgx.ConnConfig) *tracer {
	t := database.Target{System: database.PostgreSQL}
	t.Set(config.Host, int(config.Port), config.Database)
	return &tracer{db: database.For(t), theirs: config.Tracer}
}

// leave gives a configuration the program's tracer again, if it still has ours.
func (t *tracer) leave(config *pgx.ConnConfig) {
	if config.Tracer == pgx.QueryTracer(t) {
		config.Tracer = t.theirs
	}
}
