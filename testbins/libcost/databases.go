package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/alicebob/miniredis/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/redis/go-redis/v9"
)

const (
	query     = "SELECT name FROM items WHERE id = $1"
	statement = "UPDATE items SET name = $1 WHERE id = $2"
)

func sqlQuery() func() {
	db, ctx := openShop(), context.Background()
	return func() {
		var name string
		check(db.QueryRowContext(ctx, query, 7).Scan(&name))
	}
}

func sqlExec() func() {
	db, ctx := openShop(), context.Background()
	return func() {
		_, err := db.ExecContext(ctx, statement, "lamp", 7)
		check(err)
	}
}

// openShop opens a database whose driver does nothing.
func openShop() *sql.DB {
	sql.Register("shop", shop{})
	db, err := openSQL("shop", "postgres://app@db.example.com:5432/shop")
	check(err)
	return db
}

type shop struct{}

func (shop) Open(string) (driver.Conn, error) { return conn{}, nil }

type conn struct{}

var errUnused = errors.New("never asked for")

func (conn) Prepare(string) (driver.Stmt, error) { return nil, errUnused }
func (conn) Begin() (driver.Tx, error)           { return nil, errUnused }
func (conn) Close() error                        { return nil }
func (conn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &rows{}, nil
}
func (conn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}

type rows struct{ read bool }

func (*rows) Columns() []string { return []string{"name"} }
func (*rows) Close() error      { return nil }
func (r *rows) Next(dest []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read, dest[0] = true, "lamp"
	return nil
}

// pgxQuery queries a server that is a part of this process and knows one statement.
func pgxQuery() func() {
	l := listen()
	go func() {
		c, err := l.Accept()
		check(err)
		servePostgres(c)
	}()
	config, err := pgx.ParseConfig("postgres://app@" + l.Addr().String() + "/shop?sslmode=disable")
	check(err)
	config.Tracer = pgxTracer()
	ctx := spanContext()
	c, err := pgx.ConnectConfig(ctx, config)
	check(err)
	return func() {
		var name string
		check(c.QueryRow(ctx, query, 7).Scan(&name))
	}
}

func servePostgres(c net.Conn) {
	b := pgproto3.NewBackend(c, c)
	_, err := b.ReceiveStartupMessage()
	check(err)
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	check(b.Flush())
	const integer, text = 23, 25
	fields := &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("name"), DataTypeOID: text, DataTypeSize: -1, TypeModifier: -1}}}
	row, complete := &pgproto3.DataRow{Values: [][]byte{[]byte("lamp")}}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}
	for {
		m, err := b.Receive()
		if err != nil {
			return
		}
		switch m := m.(type) {
		case *pgproto3.Parse:
			b.Send(&pgproto3.ParseComplete{})
		case *pgproto3.Describe:
			if m.ObjectType == 'S' {
				b.Send(&pgproto3.ParameterDescription{ParameterOIDs: []uint32{integer}})
			}
			b.Send(fields)
		case *pgproto3.Bind:
			b.Send(&pgproto3.BindComplete{})
		case *pgproto3.Execute:
			b.Send(row)
			b.Send(complete)
		case *pgproto3.Sync:
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			check(b.Flush())
		}
	}
}

// redisGet reads a key of a server that is a part of this process.
func redisGet() func() {
	server := miniredis.NewMiniRedis()
	check(server.Start())
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	instrumentRedis(client)
	ctx := spanContext()
	check(client.Set(ctx, "user:7", "ada", 0).Err())
	return func() { check(client.Get(ctx, "user:7").Err()) }
}
