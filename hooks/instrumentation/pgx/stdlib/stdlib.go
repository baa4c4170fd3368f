// Package stdlib has the hooks of github.com/jackc/pgx/v5/stdlib. The spans of its connections are those of database/sql.
package stdlib

import (
	"context"
	"reflect"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/contexts"
)

// HookContext is what the hooks need of the call.
type HookContext interface{ SetParam(idx int, val any) }

type quietKey struct{}

// quietContext silences the hooks of connections that are made with it.
type quietContext struct{ context.Context }

// Value implements context.Context.
func (c quietContext) Value(key any) any {
	if key == (quietKey{}) {
		return true
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer.
func (c quietContext) String() string { return contexts.Name(c.Context) }

// IsQuiet reports whether a connection is one of database/sql's.
func IsQuiet(ctx context.Context) bool { return ctx.Value(quietKey{}) != nil }

// BeforeConnect runs before Connect(ctx) of a connector, and leaves the connection to the hooks of database/sql if these are on. Connections of a pool
// are never left to them: they outlive the call that makes them, and may serve others than database/sql.
func BeforeConnect(ictx HookContext, connector interface{}, ctx context.Context) {
	if ctx != nil && rt.Enabled("databasesql_db_query") && !hasPool(connector) {
		ictx.SetParam(1, contexts.Offering(quietContext{ctx}, ctx))
	}
}

// hasPool reports whether a connector takes its connections from a pool of pgx (OpenDBFromPool). Not every release has such connectors.
func hasPool(connector interface{}) bool {
	v := reflect.ValueOf(connector)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return false
	}
	pool := v.FieldByName("pool")
	return pool.Kind() == reflect.Pointer && !pool.IsNil()
}
