package databasesql

import (
	"context"
	"database/sql"
	"sync/atomic"

	"github.com/otelobj/otelobj/hooks/database"
)

// HookContext is what the hooks need of the call.
type HookContext interface {
	SetData(data any)
	GetData() any
	Unwound() (panicValue any, goexit, ok bool)
}

// Opening and closing of databases.

// BeforeOpen runs before sql.Open(driverName, dataSourceName).
func BeforeOpen(ictx HookContext, driverName, dataSourceName string) {
	t := fromDSN(driverName, dataSourceName)
	ictx.SetData(&t)
}

// AfterOpen runs when it has returned. OpenDB has been called, unless there is an error.
func AfterOpen(ictx HookContext, db *sql.DB, _ error) {
	if t, ok := ictx.GetData().(*database.Target); ok && db != nil {
		register(db, *t)
	}
}

// AfterOpenDB runs when sql.OpenDB(connector) has returned.
func AfterOpenDB(_ HookContext, db *sql.DB) {
	if db != nil {
		register(db, database.Target{})
	}
}

// BeforeClose runs before (*sql.DB).Close().
func BeforeClose(_ HookContext, db *sql.DB) { forget(db) }

// AfterCall runs when a function with an error as its only result has returned.
func AfterCall(ictx HookContext, err error) { finish(ictx, err) }

// AfterEnd runs when Commit or rollback has returned.
func AfterEnd(ictx HookContext, err error) { finishTx(ictx, err) }

// AfterExec runs when ExecContext has returned.
func AfterExec(ictx HookContext, _ sql.Result, err error) { finish(ictx, err) }

// AfterPrepare runs when PrepareContext has returned.
func AfterPrepare(ictx HookContext, _ *sql.Stmt, err error) { finish(ictx, err) }

// AfterBegin runs when BeginTx has returned.
func AfterBegin(ictx HookContext, _ *sql.Tx, err error) { finish(ictx, err) }

// AfterQuery runs when QueryContext has returned. The span goes on until the rows are closed.
func AfterQuery(ictx HookContext, rows *sql.Rows, err error) {
	if o, ok := ictx.GetData().(*database.Operation); ok {
		finishQuery(ictx, o, rows, err)
	}
}

// Databases.

// BeforeDBPing runs before (*sql.DB).PingContext(ctx).
func BeforeDBPing(ictx HookContext, db *sql.DB, ctx context.Context) {
	begin(ictx, db, ctx, database.Ping, "")
}

// BeforeDBPrepare runs before (*sql.DB).PrepareContext(ctx, query).
func BeforeDBPrepare(ictx HookContext, db *sql.DB, ctx context.Context, query string) {
	begin(ictx, db, ctx, database.Prepare, query)
}

// BeforeDBStatement runs before (*sql.DB).QueryContext(ctx, query, args...) and ExecContext.
func BeforeDBStatement(ictx HookContext, db *sql.DB, ctx context.Context, query string, _ []any) {
	begin(ictx, db, ctx, "", query)
}

// BeforeDBBegin runs before (*sql.DB).BeginTx(ctx, opts).
func BeforeDBBegin(ictx HookContext, db *sql.DB, ctx context.Context, _ *sql.TxOptions) {
	begin(ictx, db, ctx, database.Begin, "")
}

// Connections.

// BeforeConnPing runs before (*sql.Conn).PingContext(ctx).
func BeforeConnPing(ictx HookContext, c *sql.Conn, ctx context.Context) {
	begin(ictx, connOf(c), ctx, database.Ping, "")
}

// BeforeConnPrepare runs before (*sql.Conn).PrepareContext(ctx, query).
func BeforeConnPrepare(ictx HookContext, c *sql.Conn, ctx context.Context, query string) {
	begin(ictx, connOf(c), ctx, database.Prepare, query)
}

// BeforeConnStatement runs before (*sql.Conn).QueryContext(ctx, query, args...) and ExecContext.
func BeforeConnStatement(ictx HookContext, c *sql.Conn, ctx context.Context, query string, _ []any) {
	begin(ictx, connOf(c), ctx, "", query)
}

// BeforeConnBegin runs before (*sql.Conn).BeginTx(ctx, opts).
func BeforeConnBegin(ictx HookContext, c *sql.Conn, ctx context.Context, _ *sql.TxOptions) {
	begin(ictx, connOf(c), ctx, database.Begin, "")
}

// Transactions.

// BeforeTxPrepare runs before (*sql.Tx).PrepareContext(ctx, query).
func BeforeTxPrepare(ictx HookContext, tx *sql.Tx, ctx context.Context, query string) {
	begin(ictx, fieldOr[*sql.DB](tx, txDB), ctx, database.Prepare, query)
}

// BeforeTxStatement runs before (*sql.Tx).QueryContext(ctx, query, args...) and ExecContext.
func BeforeTxStatement(ictx HookContext, tx *sql.Tx, ctx context.Context, query string, _ []any) {
	begin(ictx, fieldOr[*sql.DB](tx, txDB), ctx, "", query)
}

// BeforeCommit runs before (*sql.Tx).Commit().
func BeforeCommit(ictx HookContext, tx *sql.Tx) { endTx(ictx, tx, database.Commit) }

// BeforeRollback runs before (*sql.Tx).rollback(discardConn): the program's Rollback, or database/sql's own after the context has ended.
func BeforeRollback(ictx HookContext, tx *sql.Tx, _ bool) { endTx(ictx, tx, database.Rollback) }

// endTx begins the span of a commit or a rollback. It belongs where the transaction began, because neither has a context. `defer tx.Rollback()` does
// nothing after a commit, and makes no span. Nor does the rollback of database/sql's own goroutine: it ends what the program has left.
func endTx(ictx HookContext, tx *sql.Tx, name string) {
	if tx == nil {
		return
	}
	if done := field[atomic.Bool](tx, txDone); done != nil && done.Load() {
		return
	}
	ctx := fieldOr[context.Context](tx, txContext)
	if ctx == nil {
		ctx = context.Background()
	}
	if name == database.Rollback && ctx.Err() != nil && isAwaitDone() {
		return
	}
	begin(ictx, fieldOr[*sql.DB](tx, txDB), ctx, name, "")
}

// Prepared statements.

// BeforeStmt runs before (*sql.Stmt).QueryContext(ctx, args...) and ExecContext.
func BeforeStmt(ictx HookContext, s *sql.Stmt, ctx context.Context, _ []any) {
	begin(ictx, fieldOr[*sql.DB](s, stmtDB), ctx, "", fieldOr[string](s, stmtQuery))
}
