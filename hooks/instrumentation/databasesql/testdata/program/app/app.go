// Package app uses a database in every way that database/sql has, one call after the other.
package app

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Run opens a database with the function that it is given: sql.Open, or one that instruments. The caller closes it.
func Run(open func(driverName, dataSourceName string) (*sql.DB, error)) *sql.DB {
	sql.Register("shop", shop{})
	db, err := open("shop", "postgres://app:s3cr3t@db.example.com:6543/shop")
	check(err)
	db.SetMaxOpenConns(7)
	ctx := context.Background()
	check(db.PingContext(ctx))
	say(db.ExecContext(ctx, "INSERT INTO items (name) VALUES ($1)", "s3cr3t"))
	say(names(db.QueryContext(ctx, "SELECT name FROM items WHERE name = $1", "s3cr3t")))
	say(names(db.QueryContext(ctx, "SELECT name FROM absent")))
	say(names(db.QueryContext(ctx, "SELECT name FROM broken")))
	var name string
	say(name, db.QueryRowContext(ctx, "SELECT name FROM nothing").Scan(&name))

	stmt, err := db.PrepareContext(ctx, "UPDATE items SET name = $1")
	check(err)
	say(stmt.ExecContext(ctx, "s3cr3t"))
	check(stmt.Close())
	say(db.PrepareContext(ctx, "UPDATE absent SET name = $1"))

	tx, err := db.BeginTx(ctx, nil)
	check(err)
	say(tx.ExecContext(ctx, "DELETE FROM items"))
	check(tx.Commit())
	say(0, tx.Rollback())
	tx, err = db.BeginTx(ctx, nil)
	check(err)
	say(names(tx.QueryContext(ctx, "SELECT name FROM items")))
	check(tx.Rollback())
	say(db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelLinearizable}))

	conn, err := db.Conn(ctx)
	check(err)
	check(conn.PingContext(ctx))
	say(conn.ExecContext(ctx, "INSERT INTO items (name) VALUES ($1)", "s3cr3t"))
	check(conn.Close())

	cancelled, cancel := context.WithCancel(ctx)
	rows, err := db.QueryContext(cancelled, "SELECT name FROM endless")
	check(err)
	cancel()
	say(names(rows, nil))
	return db
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// say prints what a call has returned.
func say(_ any, err error) { fmt.Println(err) }

func names(rows *sql.Rows, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

// The driver. It has what a connection may have, so that database/sql calls no more than that.

var errAbsent, errBroken, errIsolation = errors.New("absent"), errors.New("broken"), errors.New("isolation")

type shop struct{}

func (shop) Open(string) (driver.Conn, error) { return &conn{}, nil }

type conn struct{}

func (c *conn) Close() error                        { return nil }
func (c *conn) Commit() error                       { return nil }
func (c *conn) Rollback() error                     { return nil }
func (c *conn) Ping(context.Context) error          { return nil }
func (c *conn) Begin() (driver.Tx, error)           { return c, nil }
func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("without a context") }
func (c *conn) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	if o.Isolation != 0 {
		return nil, errIsolation
	}
	return c, nil
}
func (c *conn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	if strings.Contains(query, "absent") {
		return nil, errAbsent
	}
	return &stmt{query}, nil
}
func (c *conn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}
func (c *conn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	switch {
	case strings.Contains(query, "absent"):
		return nil, errAbsent
	case strings.Contains(query, "broken"):
		return &rows{err: errBroken}, nil
	case strings.Contains(query, "nothing"):
		return &rows{}, nil
	case strings.Contains(query, "endless"):
		return &rows{n: 1 << 40}, nil
	}
	return &rows{n: 2}, nil
}

type stmt struct{ query string }

func (s *stmt) Close() error  { return nil }
func (s *stmt) NumInput() int { return -1 }
func (s *stmt) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.New("without a context")
}
func (s *stmt) Query([]driver.Value) (driver.Rows, error) {
	return nil, errors.New("without a context")
}
func (s *stmt) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}
func (s *stmt) QueryContext(context.Context, []driver.NamedValue) (driver.Rows, error) {
	return &rows{n: 2}, nil
}

type rows struct {
	n   int
	err error
}

func (r *rows) Columns() []string { return []string{"name"} }
func (r *rows) Close() error      { return nil }
func (r *rows) Next(dest []driver.Value) error {
	switch {
	case r.err != nil:
		return r.err
	case r.n == 0:
		return io.EOF
	}
	r.n--
	dest[0] = "s3cr3t"
	return nil
}
