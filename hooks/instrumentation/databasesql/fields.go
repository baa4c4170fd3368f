package databasesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"
)

// What database/sql keeps in unexported fields is found by name and checked by type, so that a Go version that moves a field loses an attribute and
// nothing else. Read in the sources of Go 1.24 to 1.27:
//
//	DB      connector driver.Connector          never changes
//	Conn    db *DB                              nil once closed
//	Tx      db *DB, ctx context.Context         never change; done atomic.Bool
//	Stmt    db *DB, query string                never change
//	Rows    closemu sync.RWMutex                guards closed and lasterr; releaseConn is called once, under it, when the rows are closed
//	        closed bool; lasterr error; releaseConn func(error)
//	        closemu closingMutex                from 1.27 on: who closes takes mu first, then state, which is below zero as long as the rows are being closed

func fieldOffset[S, F any](name string) int {
	f, ok := reflect.TypeFor[S]().FieldByName(name)
	if !ok || len(f.Index) != 1 || f.Type != reflect.TypeFor[F]() {
		return -1
	}
	return int(f.Offset)
}

// partOffset is fieldOffset for a field of a field that is a struct.
func partOffset[S, F any](name, part string) int {
	outer, ok := reflect.TypeFor[S]().FieldByName(name)
	if !ok || len(outer.Index) != 1 || outer.Type.Kind() != reflect.Struct {
		return -1
	}
	f, ok := outer.Type.FieldByName(part)
	if !ok || len(f.Index) != 1 || f.Type != reflect.TypeFor[F]() {
		return -1
	}
	return int(outer.Offset + f.Offset)
}

var (
	dbConnector = fieldOffset[sql.DB, driver.Connector]("connector")
	connDB      = fieldOffset[sql.Conn, *sql.DB]("db")
	txDB        = fieldOffset[sql.Tx, *sql.DB]("db")
	txContext   = fieldOffset[sql.Tx, context.Context]("ctx")
	txDone      = fieldOffset[sql.Tx, atomic.Bool]("done")
	stmtDB      = fieldOffset[sql.Stmt, *sql.DB]("db")
	stmtQuery   = fieldOffset[sql.Stmt, string]("query")

	rowsMutex   = fieldOffset[sql.Rows, sync.RWMutex]("closemu")
	closingMu   = partOffset[sql.Rows, sync.Mutex]("closemu", "mu")
	closing     = partOffset[sql.Rows, atomic.Int64]("closemu", "state")
	rowsClosed  = fieldOffset[sql.Rows, bool]("closed")
	rowsError   = fieldOffset[sql.Rows, error]("lasterr")
	rowsRelease = fieldOffset[sql.Rows, func(error)]("releaseConn")
)

// field returns what is at an offset of a struct, nil if there is no such field.
func field[F, S any](s *S, offset int) *F {
	if s == nil || offset < 0 {
		return nil
	}
	return (*F)(unsafe.Add(unsafe.Pointer(s), offset))
}

// fieldOr returns a copy of a field, the zero value if there is none.
func fieldOr[F, S any](s *S, offset int) (v F) {
	if p := field[F](s, offset); p != nil {
		v = *p
	}
	return v
}

// connOf returns the database of a connection. (*Conn).Close sets the field to nil, perhaps at the same time: either value will do.
//
//go:norace
func connOf(c *sql.Conn) *sql.DB {
	if c == nil || connDB < 0 {
		return nil
	}
	return *(**sql.DB)(unsafe.Add(unsafe.Pointer(c), connDB))
}

// atClose calls end once, when the rows are closed, with the error that they ended with. It returns false if that cannot be had, or they are closed.
func atClose(rows *sql.Rows, end func(error)) bool {
	closed, last, release := field[bool](rows, rowsClosed), field[error](rows, rowsError), field[func(error)](rows, rowsRelease)
	if closed == nil || last == nil || release == nil {
		return false
	}
	unlock := keepOpen(rows)
	if unlock == nil {
		return false
	}
	defer unlock()
	inner := *release
	if *closed || inner == nil {
		return false
	}
	at := uintptr(unsafe.Pointer(last)) // a pointer would make a circle, in which a finalizer of the program's never runs
	*release = func(err error) {
		inner(err)
		if failure := lastError(&at); failure != nil {
			err = failure
		}
		end(err)
	}
	return true
}

// keepOpen lets nobody close rows until what it returns is called: a goroutine of database/sql's may do so, because the context has ended. It returns nil if they
// are being closed, or if it cannot be done.
func keepOpen(rows *sql.Rows) (unlock func()) {
	if mutex := field[sync.RWMutex](rows, rowsMutex); mutex != nil {
		mutex.Lock()
		return mutex.Unlock
	}
	mu, state := field[sync.Mutex](rows, closingMu), field[atomic.Int64](rows, closing)
	if mu == nil || state == nil {
		return nil
	}
	mu.Lock()
	if state.Load() < 0 {
		mu.Unlock()
		return nil
	}
	return mu.Unlock
}

// lastError reads the error of rows that are being closed: the method of theirs that calls this goes on to use them.
//
//go:nocheckptr
func lastError(at *uintptr) error { return **(**error)(unsafe.Pointer(at)) }
