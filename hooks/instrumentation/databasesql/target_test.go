package databasesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/otelobj/otelobj/hooks/database"
)

func TestDataSourceNames(t *testing.T) {
	t.Setenv("PGHOST", "")
	t.Setenv("PGDATABASE", "")
	for _, c := range []struct{ driver, dsn, system, namespace, at string }{
		{"postgres", "postgres://u:s3cr3t@db.example.com:6543/shop?password=s3cr3t", "postgresql", "shop", "db.example.com:6543"},
		{"pgx", "postgresql://u:s3cr3t@[::1]/shop", "postgresql", "shop", "::1"},
		{"pgx/v5", "host=db port=5433 user=u password='s3 cr3t\\'' dbname = shop", "postgresql", "shop", "db:5433"},
		{"postgres", "host=/run/postgresql dbname=shop password=s3cr3t", "postgresql", "shop", "/run/postgresql"},
		{"postgres", "host=a,b dbname=shop", "postgresql", "shop", ""},
		{"postgres", "password='s3cr3t", "postgresql", "", ""},
		{"mysql", "u:p@/:(s3cr3t@tcp(db:3307)/shop?x=y", "mysql", "shop", "db:3307"},
		{"mysql", "u:s3cr3t@unix(/run/mysqld.sock)/shop", "mysql", "shop", "/run/mysqld.sock"},
		{"mysql", "u:s3cr3t@tcp([::1])/shop", "mysql", "shop", "::1"},
		{"mysql", "u:s3cr3t@/", "mysql", "", "127.0.0.1"},
		{"mysql", "u:s3cr3t", "mysql", "", ""},
		{"sqlite3", "file:/var/lib/shop.db?_auth_user=u&_auth_pass=s3cr3t", "sqlite", "/var/lib/shop.db", ""},
		{"sqlite", ":memory:", "sqlite", ":memory:", ""},
		{"sqlserver", "sqlserver://u:s3cr3t@db:1434/instance?database=shop", "microsoft.sql_server", "shop", "db:1434"},
		{"clickhouse", "clickhouse://u:s3cr3t@db:9000/shop", "clickhouse", "shop", "db"},
		{"own", "postgres://u:s3cr3t@db/shop", "postgresql", "shop", "db"},
		{"own", "s3cr3t", "", "", ""},
		{"postgres", strings.Repeat("x", maxDSN+1), "postgresql", "", ""},
	} {
		got := fromDSN(c.driver, c.dsn)
		if got.Name != c.system || got.Namespace != c.namespace || got.HostPort() != c.at {
			t.Errorf("%s %q: %q %q %q", c.driver, c.dsn, got.Name, got.Namespace, got.HostPort())
		}
	}
}

// Whatever is cut off wherever, no password is taken for a name.
func TestNoPasswordInTarget(t *testing.T) {
	for _, dsn := range []string{
		"postgres://u:s3cr3t@db.example.com:6543/shop?password=s3cr3t", "host=db password='s3cr3t' dbname=x", "u:s3cr3t@tcp(db:3307)/shop?p=s3cr3t",
		"file:shop.db?_auth_pass=s3cr3t", "sqlserver://u:s3cr3t@db/x?password=s3cr3t",
	} {
		for _, driver := range []string{"postgres", "mysql", "sqlite", "sqlserver", "clickhouse", "oracle", "x"} {
			for end := strings.Index(dsn, "s3cr3t") + len("s3cr3t"); end <= len(dsn); end++ {
				got := fromDSN(driver, dsn[:end])
				if all := got.Namespace + " " + got.HostPort(); strings.Contains(all, "s3cr3t") {
					t.Errorf("%s %q: %q", driver, dsn[:end], all)
				}
			}
		}
	}
}

func TestFieldsAreThere(t *testing.T) {
	for name, offset := range map[string]int{
		"DB.connector": dbConnector, "Conn.db": connDB, "Tx.db": txDB, "Tx.ctx": txContext, "Tx.done": txDone, "Stmt.db": stmtDB,
		"Stmt.query": stmtQuery, "Rows.closemu": max(rowsMutex, min(closingMu, closing)), "Rows.closed": rowsClosed, "Rows.lasterr": rowsError, "Rows.releaseConn": rowsRelease,
	} {
		if offset < 0 {
			t.Errorf("%s is not there", name)
		}
	}
}

func TestPoolsAreCountedTogether(t *testing.T) {
	a := database.For(database.Target{System: database.MySQL, Namespace: "x", Address: "db", PortInUse: 3307})
	b := database.For(database.Target{System: database.MySQL, Namespace: "x", Address: "db", PortInUse: 3307})
	if a != b || a.Pool != "db:3307/x" {
		t.Errorf("%p %p %s", a, b, a.Pool)
	}
}

// unopened is a connector that nobody connects.
type unopened struct{}

func (unopened) Connect(context.Context) (driver.Conn, error) { return nil, driver.ErrBadConn }
func (unopened) Driver() driver.Driver                        { return nil }

func TestPoolsThatTheProgramObserves(t *testing.T) {
	ours, theirs := sql.OpenDB(unopened{}), sql.OpenDB(unopened{})
	for _, db := range []*sql.DB{ours, theirs} {
		defer db.Close()
		register(db, database.Target{System: database.PostgreSQL})
		defer forget(db)
	}
	for range 2 {
		BeforeRegisterStats(nil, theirs, nil)
	}
	BeforeRegisterStats(nil, nil, nil)
	if find(ours).observed || !find(theirs).observed || find(theirs).yields {
		t.Error("totals are not those that the program lacks")
	}
}
