package databasesql

import (
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/otelobj/otelobj/hooks/database"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// drivers are found by the beginning of the import path of a driver's or connector's package.
var drivers = []struct {
	path   string
	system database.System
}{
	{"github.com/lib/pq", database.PostgreSQL},
	{"github.com/jackc/pgx", database.PostgreSQL},
	{"github.com/go-sql-driver/mysql", database.MySQL},
	{"github.com/mattn/go-sqlite3", database.SQLite},
	{"modernc.org/sqlite", database.SQLite},
	{"github.com/glebarez/go-sqlite", database.SQLite},
	{"github.com/ncruces/go-sqlite3", database.SQLite},
	{"github.com/microsoft/go-mssqldb", database.SQLServer},
	{"github.com/denisenkom/go-mssqldb", database.SQLServer},
	{"github.com/ClickHouse/clickhouse-go", database.ClickHouse},
	{"github.com/sijms/go-ora", database.Oracle},
	{"github.com/godror/godror", database.Oracle},
}

// driverNames are the names under which drivers are registered, for those that a program wraps: part of the name is enough.
var driverNames = []struct {
	name   string
	system database.System
}{
	{"postgres", database.PostgreSQL}, {"pgx", database.PostgreSQL}, {"mysql", database.MySQL}, {"mariadb", database.MySQL}, {"sqlite", database.SQLite}, {"sqlserver", database.SQLServer},
	{"mssql", database.SQLServer}, {"clickhouse", database.ClickHouse}, {"oracle", database.Oracle}, {"godror", database.Oracle},
}

func systemOfPath(path string) (database.System, bool) {
	for _, d := range drivers {
		if rest, ok := strings.CutPrefix(path, d.path); ok && (rest == "" || rest[0] == '/') {
			return d.system, true
		}
	}
	return database.Other, false
}

func systemOfName(name string) (database.System, bool) {
	if len(name) > database.MaxPart {
		return database.Other, false
	}
	name = strings.ToLower(name)
	for _, d := range driverNames {
		if strings.Contains(name, d.name) {
			return d.system, true
		}
	}
	return database.Other, false
}

// maxDSN is the length of the longest data source name that is read.
const maxDSN = 8192

// nameIn returns a database's name or file. A colon would come before a password.
func nameIn(s string) string {
	if rest := strings.TrimPrefix(s, filepath.VolumeName(s)); strings.Contains(rest, ":") && s != ":memory:" {
		return ""
	}
	return database.Part(s)
}

func number(port string) int {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}

// fromDSN says what a data source name tells, as its driver reads it. The name of the driver decides how only as long as nothing better is known.
func fromDSN(driverName, dsn string) database.Target {
	t := database.Target{}
	s, known := systemOfName(driverName)
	if !known {
		switch scheme, _, _ := strings.Cut(dsn, "://"); scheme {
		case "postgres", "postgresql":
			s, known = database.PostgreSQL, true
		case "sqlserver":
			s, known = database.SQLServer, true
		case "clickhouse":
			s, known = database.ClickHouse, true
		case "oracle":
			s, known = database.Oracle, true
		}
	}
	if !known || len(dsn) > maxDSN {
		if known {
			t.System = s
		}
		return t
	}
	t.System = s
	switch s {
	case database.PostgreSQL:
		readPostgres(&t, dsn)
	case database.MySQL:
		readMySQL(&t, dsn)
	case database.SQLite:
		readSQLite(&t, dsn)
	default:
		readURL(&t, dsn)
	}
	return t
}

// postgres reads a URL, or pairs of keys and values (libpq, 34.1.1).
func readPostgres(t *database.Target, dsn string) {
	var values map[string]string
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		u, err := url.Parse(dsn)
		if err != nil {
			return
		}
		values = map[string]string{"host": u.Hostname(), "port": u.Port(), "dbname": strings.TrimPrefix(u.Path, "/")}
		for key, all := range u.Query() {
			if len(all) > 0 && all[0] != "" {
				values[key] = all[0]
			}
		}
	} else if values = pairs(dsn); values == nil {
		return
	}
	get := func(key, variable string) string {
		if v := values[key]; v != "" {
			return v
		}
		return environ.Get(variable)
	}
	host, port, name := get("host", "PGHOST"), get("port", "PGPORT"), values["dbname"]
	if name == "" {
		name = get("database", "PGDATABASE")
	}
	t.Namespace = nameIn(name)
	if strings.Contains(host, ",") { // whichever answers
		return
	}
	if t.Address = database.Part(host); t.Address != "" && !strings.HasPrefix(t.Address, "/") {
		t.PortInUse = database.PostgreSQL.Port
		if port != "" {
			t.PortInUse = number(port)
		}
	}
}

// pairs reads "key=value key = 'it\'s'"; nil: it is something else.
func pairs(s string) map[string]string {
	values := map[string]string{}
	for s = strings.TrimLeft(s, " \t\r\n"); s != ""; s = strings.TrimLeft(s, " \t\r\n") {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			return nil
		}
		rest = strings.TrimLeft(rest, " \t\r\n")
		var value strings.Builder
		quoted := strings.HasPrefix(rest, "'")
		i, closed := 0, !quoted
		if quoted {
			i = 1
		}
		for ; i < len(rest); i++ {
			c := rest[i]
			if quoted && c == '\'' {
				i++
				closed = true
				break
			}
			if !quoted && (c == ' ' || '\t' <= c && c <= '\r') {
				break
			}
			if c == '\\' && i+1 < len(rest) {
				i++
				c = rest[i]
			}
			value.WriteByte(c)
		}
		if !closed {
			return nil
		}
		values[strings.TrimSpace(key)] = value.String()
		s = rest[i:]
	}
	return values
}

// database.MySQL reads [user[:password]@][net[(addr)]]/dbname[?params].
func readMySQL(t *database.Target, dsn string) {
	slash := strings.LastIndexByte(dsn, '/')
	if slash < 0 {
		return
	}
	name, _, _ := strings.Cut(dsn[slash+1:], "?")
	if plain, err := url.PathUnescape(name); err == nil {
		t.Namespace = nameIn(plain)
	}
	where := dsn[:slash]
	where = where[strings.LastIndexByte(where, '@')+1:]
	network, addr, ok := strings.Cut(where, "(")
	if ok && !strings.HasSuffix(addr, ")") || !ok && strings.Contains(where, ":") {
		return
	}
	readMySQLAddr(t, network, strings.TrimSuffix(addr, ")"))
}

// mysqlAddr takes network and address as the driver completes them.
func readMySQLAddr(t *database.Target, network, addr string) {
	switch network {
	case "", "tcp", "tcp4", "tcp6":
		if addr == "" {
			addr = "127.0.0.1"
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			host, port = strings.Trim(addr, "[]"), "3306"
		}
		t.Address, t.PortInUse = database.Part(host), number(port)
	case "unix":
		t.Address = database.Part(addr)
	}
}

// database.SQLite reads a path, or a URI without what follows the path.
func readSQLite(t *database.Target, dsn string) {
	name, _, _ := strings.Cut(dsn, "?")
	name = strings.TrimPrefix(name, "file:")
	if strings.Contains(name, "://") {
		return
	}
	t.Namespace = nameIn(name)
}

// url reads scheme://host:port/… with the database in the query or the path.
func readURL(t *database.Target, dsn string) {
	u, err := url.Parse(dsn)
	if err != nil || u.Host == "" || strings.Contains(u.Host, ",") {
		return
	}
	t.Address, t.PortInUse = database.Part(u.Hostname()), number(u.Port())
	name := u.Query().Get("database")
	if name == "" && t.System != database.SQLServer {
		name = strings.TrimPrefix(u.Path, "/")
	}
	t.Namespace = nameIn(name)
}
