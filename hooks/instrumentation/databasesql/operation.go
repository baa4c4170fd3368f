package databasesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"runtime"
	"strings"

	"github.com/otelobj/otelobj/hooks/database"
)

// Version is the version of the instrumentation scope.
const Version = "0.1.0"

var scope = database.Scope{Name: "github.com/otelobj/otelobj/hooks/instrumentation/databasesql", Version: Version, Observe: observePools}

func init() {
	database.Name(driver.ErrBadConn, "database/sql/driver.ErrBadConn")
	database.Name(sql.ErrConnDone, "database/sql.ErrConnDone")
	database.Name(sql.ErrTxDone, "database/sql.ErrTxDone")
}

// begin starts the span of a call. name: what the call does if that is not in the statement.
func begin(ictx HookContext, db *sql.DB, ctx context.Context, name, query string) {
	if db == nil || ctx == nil {
		return // what the program gets for that is its own affair
	}
	d := find(db)
	if d.yields {
		return
	}
	o := scope.Start(ctx, d.Database, name, query)
	o.Enter()
	ictx.SetData(o)
}

// finish ends the call, and with it the span.
func finish(ictx HookContext, err error) {
	o, ok := ictx.GetData().(*database.Operation)
	if !ok {
		return
	}
	o.Leave()
	if value, _, unwound := ictx.Unwound(); unwound {
		o.EndUnwound(value)
		return
	}
	o.End(err)
}

// finishTx is finish for a commit or a rollback. If another goroutine was faster, nothing was done.
func finishTx(ictx HookContext, err error) {
	if o, ok := ictx.GetData().(*database.Operation); ok && errors.Is(err, sql.ErrTxDone) {
		o.Leave()
		o.Drop()
		return
	}
	finish(ictx, err)
}

// finishQuery ends the call. The span ends when the rows are closed, or are garbage: a program that forgets them keeps a connection busy for ever.
func finishQuery(ictx HookContext, o *database.Operation, rows *sql.Rows, err error) {
	o.Leave()
	if value, _, unwound := ictx.Unwound(); unwound {
		o.EndUnwound(value)
		return
	}
	if err != nil || rows == nil {
		o.End(err)
		return
	}
	forgotten := runtime.AddCleanup(rows, func(o *database.Operation) { o.End(nil) }, o)
	watched := atClose(rows, func(err error) {
		forgotten.Stop()
		if err == io.EOF { //nolint:errorlint // database/sql compares so
			err = nil
		}
		o.End(err)
	})
	if !watched {
		forgotten.Stop()
		o.End(nil)
	}
}

// awaitDone is the function that database/sql's own goroutine of a transaction runs.
const awaitDone = "database/sql.(*Tx).awaitDone"

// isAwaitDone reports whether this is that goroutine.
func isAwaitDone() bool {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, awaitDone) {
			return true
		}
		if !more {
			return false
		}
	}
}
