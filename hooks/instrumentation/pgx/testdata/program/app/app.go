// Package app uses a PostgreSQL server in every way that pgx has, one call after the other.
package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Run uses the server whose URL is the program's argument. tracer: of each connection, nil for none. measure is called with the pool.
func Run(ctx context.Context, tracer pgx.QueryTracer, measure func(*pgxpool.Pool)) {
	config, err := pgx.ParseConfig(os.Args[1])
	check(err)
	config.Tracer = tracer
	conn, err := pgx.ConnectConfig(ctx, config)
	check(err)
	say(conn.Exec(ctx, "CREATE TABLE items (name text NOT NULL, n integer)"))
	say(conn.Exec(ctx, "INSERT INTO items (name, n) VALUES ($1, $2)", "s3cr3t", 1))
	say(names(conn.Query(ctx, "SELECT name FROM items WHERE n = $1", 1)))
	say(names(conn.Query(ctx, "SELECT name FROM absent")))
	say(names(conn.Query(ctx, "SELECT name FROM items WHERE 1 / (n - n) = 0")))
	var name string
	say(0, conn.QueryRow(ctx, "SELECT name FROM items WHERE n = 2").Scan(&name))
	_, err = conn.Prepare(ctx, "update", "UPDATE items SET n = $1")
	check(err)
	say(conn.Exec(ctx, "update", 2))
	_, err = conn.Prepare(ctx, "absent", "UPDATE absent SET n = $1")
	say(0, err)
	tx, err := conn.Begin(ctx)
	check(err)
	say(tx.Exec(ctx, "DELETE FROM items"))
	check(tx.Rollback(ctx))
	say(conn.CopyFrom(ctx, pgx.Identifier{"items"}, []string{"name", "n"}, pgx.CopyFromRows([][]any{{"a", 1}, {"b", 2}})))
	say(conn.CopyFrom(ctx, pgx.Identifier{"items"}, []string{"name", "n"}, pgx.CopyFromRows([][]any{{nil, 1}})))
	batch := &pgx.Batch{}
	batch.Queue("SELECT n FROM items WHERE name = $1", "a")
	batch.Queue("DELETE FROM items")
	check(conn.SendBatch(ctx, batch).Close())
	batch = &pgx.Batch{}
	batch.Queue("INSERT INTO items (name) VALUES (NULL)")
	say(0, conn.SendBatch(ctx, batch).Close())
	check(conn.Close(ctx))

	pooled, err := pgxpool.ParseConfig(os.Args[1] + "&pool_max_conns=3")
	check(err)
	pooled.ConnConfig.Tracer = tracer
	pool, err := pgxpool.NewWithConfig(ctx, pooled)
	check(err)
	say(pool.Exec(ctx, "INSERT INTO items (name) VALUES ('s3cr3t')"))
	say(0, pool.QueryRow(ctx, "SELECT name FROM items").Scan(&name))
	measure(pool)
	check(pool.QueryRow(ctx, "SELECT 1").Scan(new(int)))

	say(pool.Exec(ctx, "DROP TABLE items"))
	_, err = pgx.ConnectConfig(ctx, wrong(config))
	say(0, err)
}

// wrong has a password that the server does not know.
func wrong(config *pgx.ConnConfig) *pgx.ConnConfig {
	c := config.Copy()
	c.Password = "wrong"
	return c
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// say prints what a call has returned: an error by its code, which has no port and no line of the server's.
func say(_ any, err error) {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		err = errors.New(answer.Code + " " + answer.Message)
	}
	fmt.Println(strings.TrimSpace(fmt.Sprint(err)))
}

func names(rows pgx.Rows, err error) (int, error) {
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
