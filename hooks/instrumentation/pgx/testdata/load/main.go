// Program load uses a pool of pgx from many goroutines: `load URL OPERATIONS`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"example.com/shared/load"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// right: all spans are below the operation's but those of statements in a batch, which are below the batch's, and what pgx prepares for a query on its own, below the
// query's.
func right(s sdktrace.ReadOnlySpan, below bool) bool {
	switch operation(s) {
	case "PREPARE":
		return !below
	case "INSERT": // only ever in a batch
		return !below
	}
	return below
}

func operation(s sdktrace.ReadOnlySpan) string {
	for _, a := range s.Attributes() {
		if a.Key == "db.operation.name" {
			return a.Value.AsString()
		}
	}
	return ""
}

func main() {
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(os.Args[1] + "&pool_max_conns=16&default_query_exec_mode=exec")
	check(err)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	check(err)
	var connections []*pgxpool.Conn
	for range 16 { // so that no operation makes one
		conn, err := pool.Acquire(ctx)
		check(err)
		connections = append(connections, conn)
	}
	for _, conn := range connections {
		conn.Release()
	}
	_, err = pool.Exec(ctx, "CREATE UNLOGGED TABLE counters (n integer)")
	check(err)
	checker := load.Start(right)
	checker.Uncounted = func(s sdktrace.ReadOnlySpan) bool { return operation(s) == "ACQUIRE" } // who waited for a millisecond
	checker.Run(load.Operations(2), func(ctx context.Context, g, i int) error { return do(ctx, pool, g, i) })
	pool.Close()
	checker.Say()
}

// do does four things by turns.
func do(ctx context.Context, pool *pgxpool.Pool, id, i int) error {
	switch i % 4 {
	case 0: // 1 span
		var n int
		if err := pool.QueryRow(ctx, "SELECT $1::int", i).Scan(&n); err != nil || n != i {
			return fmt.Errorf("%d: %w", n, err)
		}
	case 1: // 4 spans
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 100000"); err != nil {
				return err
			}
			var n int
			return tx.QueryRow(ctx, "SELECT 1").Scan(&n)
		})
	case 2: // 3 spans
		batch := &pgx.Batch{}
		for range 2 {
			batch.Queue("INSERT INTO counters VALUES ($1)", id)
		}
		return pool.SendBatch(ctx, batch).Close()
	case 3: // 1 span
		_, err := pool.Exec(ctx, "SELECT n FROM nowhere")
		var answer *pgconn.PgError
		if !errors.As(err, &answer) || answer.Code != "42P01" {
			return fmt.Errorf("not the server's error: %w", err)
		}
	}
	return nil
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
