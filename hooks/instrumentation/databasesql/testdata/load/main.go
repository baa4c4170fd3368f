// Program load uses a database from many goroutines, through any driver: `load DRIVER DSN OPERATIONS`.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"example.com/shared/load"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
)

// numbered reports whether a driver's parameters are $1, $2.
var numbered bool

// ask returns a statement with the driver's parameters.
func ask(query string) string {
	for n := 1; numbered && strings.Contains(query, "?"); n++ {
		query = strings.Replace(query, "?", "$"+strconv.Itoa(n), 1)
	}
	return query
}

func main() {
	driver := os.Args[1]
	numbered = driver == "postgres" || driver == "pgx"
	plain, err := sql.Open(driver, os.Args[2])
	check(err)
	_, err = plain.Exec("CREATE TABLE counters (id integer PRIMARY KEY, n integer NOT NULL)")
	check(err)
	for id := range 64 {
		_, err := plain.Exec(ask("INSERT INTO counters VALUES (?, 0)"), id)
		check(err)
	}
	check(plain.Close())

	checker := load.Start(nil)
	db, err := sql.Open(driver, os.Args[2])
	check(err)
	if strings.HasPrefix(driver, "sqlite") {
		db.SetMaxOpenConns(1) // who writes meanwhile gets SQLITE_BUSY
	} else {
		db.SetMaxOpenConns(16)
		db.SetMaxIdleConns(8)
	}
	checker.Run(load.Operations(3), func(ctx context.Context, g, i int) error { return operation(ctx, db, g, i) })
	check(db.Close())
	checker.Say()
}

// operation does five things by turns. Each round of them counts once, and makes twelve spans beside those of the operations.
func operation(ctx context.Context, db *sql.DB, id, i int) error {
	switch i % 5 {
	case 0: // 4 spans
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, ask("UPDATE counters SET n = n + 1 WHERE id = ?"), id); err != nil {
			return err
		}
		if err := read(tx.QueryRowContext(ctx, ask("SELECT n FROM counters WHERE id = ?"), id), i/5+1); err != nil {
			return err
		}
		return tx.Commit()
	case 1: // 1 span
		return read(db.QueryRowContext(ctx, ask("SELECT n FROM counters WHERE id = ?"), id), i/5+1)
	case 2: // 3 spans
		stmt, err := db.PrepareContext(ctx, ask("SELECT id, n FROM counters WHERE id <= ? AND id >= ? ORDER BY id"))
		if err != nil {
			return err
		}
		defer stmt.Close()
		rows, err := stmt.QueryContext(ctx, id, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			var found, value int
			if err := rows.Scan(&found, &value); err != nil || found != id || value != i/5+1 {
				return fmt.Errorf("%d %d: %w", found, value, err)
			}
		}
		if n != 1 || rows.Err() != nil {
			return fmt.Errorf("%d rows: %w", n, rows.Err())
		}
		return read(db.QueryRowContext(ctx, "SELECT 1"), 1)
	case 3: // 1 span
		if _, err := db.QueryContext(ctx, "SELECT n FROM nowhere"); err == nil {
			return errors.New("a table that is not there")
		}
		return nil
	}
	tx, err := db.BeginTx(ctx, nil) // 3 spans
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, ask("UPDATE counters SET n = 0 WHERE id = ?"), id); err != nil {
		return err
	}
	return tx.Rollback()
}

func read(row *sql.Row, want int) error {
	var n int
	if err := row.Scan(&n); err != nil || n != want {
		return fmt.Errorf("%d for %d: %w", n, want, err)
	}
	return nil
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
