package databasesql

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"strings"
	"sync"

	"github.com/otelobj/otelobj/hooks/database"
	"github.com/otelobj/otelobj/hooks/rt"
)

// What a connector says of its database is read from its type and from fields of the well-known ones, and never by calling its methods: they are the
// program's.

// instrumented are packages that wrap drivers to trace them with OpenTelemetry. Where a database is opened through one, ours makes no span.
var instrumented = []string{
	"github.com/XSAM/otelsql",
	"go.nhat.io/otelsql",
	"github.com/nhatthm/otelsql",
	"github.com/uptrace/opentelemetry-go-extra/otelsql",
	"github.com/signalfx/splunk-otel-go/instrumentation",
	"github.com/j2gg0s/otsql",
}

// connectorOf returns the connector of a database, nil if it cannot be had.
func connectorOf(db *sql.DB) driver.Connector { return fieldOr[driver.Connector](db, dbConnector) }

// inspect completes what is known of a database by what its connector says. yields: the program traces it itself.
func inspect(c driver.Connector, t *database.Target) (yields bool) {
	if c == nil {
		complete(t)
		return false
	}
	defer complete(t)
	v := structOf(reflect.ValueOf(c))
	if !v.IsValid() {
		ofPath(t, path(reflect.TypeOf(c)))
		return false
	}
	if v.Type().PkgPath() == "database/sql" { // the connector of a driver that has none of its own
		if d := v.FieldByName("driver"); d.IsValid() {
			dt := d.Elem()
			if inner := structOf(dt); inner.IsValid() && inner.Type().PkgPath() == "" && inner.NumField() == 1 && inner.Field(0).Kind() == reflect.Interface {
				dt = inner.Field(0).Elem() // struct{ driver.Driver }
			}
			if dt.IsValid() {
				ofPath(t, path(dt.Type()))
				return database.IsBelow(path(dt.Type()), instrumented)
			}
		}
		return false
	}
	of := path(v.Type())
	if database.IsBelow(of, instrumented) {
		return true
	}
	ofPath(t, of)
	switch {
	case strings.HasPrefix(of, "github.com/lib/pq"):
		ofPQ(t, v)
	case strings.HasPrefix(of, "github.com/go-sql-driver/mysql"):
		ofMySQL(t, structOf(v.FieldByName("cfg")))
	case strings.HasPrefix(of, "github.com/jackc/pgx/"):
		return ofPGX(t, v)
	}
	return false
}

func ofPath(t *database.Target, path string) {
	if s, ok := systemOfPath(path); ok {
		t.System = s
	}
}

func complete(t *database.Target) {
	if t.Name == "" {
		t.System = database.Other
	}
}

// path is the import path of a type's package, whatever it points to.
func path(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return ""
	}
	return t.PkgPath()
}

// structOf follows pointers and interfaces to a struct; the zero value: there is none.
func structOf(v reflect.Value) reflect.Value {
	for range 4 {
		if k := v.Kind(); k != reflect.Pointer && k != reflect.Interface {
			break
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v
}

// text reads a string field, a number's as it is.
func stringField(v reflect.Value, name string) string {
	if !v.IsValid() {
		return ""
	}
	if f := v.FieldByName(name); f.IsValid() && f.Kind() == reflect.String {
		return f.String()
	}
	return ""
}

func portField(v reflect.Value, name string) int {
	if !v.IsValid() {
		return 0
	}
	if f := v.FieldByName(name); f.IsValid() && f.CanUint() {
		return int(f.Uint())
	}
	return 0
}

// ofPQ reads lib/pq's Connector: cfg from v1.11 on, a map of options before.
func ofPQ(t *database.Target, v reflect.Value) {
	if cfg := v.FieldByName("cfg"); cfg.IsValid() && cfg.Kind() == reflect.Struct {
		t.Set(stringField(cfg, "Host"), portField(cfg, "Port"), stringField(cfg, "Database"))
		return
	}
	opts := v.FieldByName("opts")
	if !opts.IsValid() || opts.Kind() != reflect.Map || opts.Type().Key().Kind() != reflect.String || opts.Type().Elem().Kind() != reflect.String {
		return
	}
	get := func(key string) string {
		if e := opts.MapIndex(reflect.ValueOf(key).Convert(opts.Type().Key())); e.IsValid() {
			return e.String()
		}
		return ""
	}
	t.Set(get("host"), number(get("port")), get("dbname"))
}

func ofMySQL(t *database.Target, cfg reflect.Value) {
	if !cfg.IsValid() {
		return
	}
	if t.Address == "" {
		readMySQLAddr(t, stringField(cfg, "Net"), stringField(cfg, "Addr"))
	}
	if t.Namespace == "" {
		t.Namespace = database.Part(stringField(cfg, "DBName"))
	}
}

// ofPGX reads connectors of pgx's stdlib. Where pgx itself traces the connections, database/sql does not: the program has set a tracer, or the
// connections come from a pool of pgx.
func ofPGX(t *database.Target, v reflect.Value) (yields bool) {
	config, pooled := v.FieldByName("ConnConfig"), false
	if pool := structOf(orNone(v, "pool")); pool.IsValid() {
		config = structOf(orNone(structOf(orNone(pool, "config")), "ConnConfig"))
		pooled = rt.Enabled("pgx_connect")
	} else if d := structOf(orNone(v, "driver")); !config.IsValid() && d.IsValid() { // stdlib.RegisterConnConfig
		config = registered(d, stringField(v, "name"))
	}
	if config = structOf(config); !config.IsValid() {
		return pooled
	}
	if c := structOf(orNone(config, "Config")); c.IsValid() {
		t.Set(stringField(c, "Host"), portField(c, "Port"), stringField(c, "Database"))
	}
	return pooled || database.MakesSpans(orNone(config, "Tracer"))
}

// registered returns a configuration that the program has given pgx's driver under a name.
func registered(d reflect.Value, name string) reflect.Value {
	configs, mutex := d.FieldByName("configs"), d.FieldByName("configMutex")
	if !configs.IsValid() || configs.Kind() != reflect.Map || configs.Type().Key().Kind() != reflect.String ||
		!mutex.IsValid() || mutex.Type() != reflect.TypeFor[sync.Mutex]() || !mutex.CanAddr() {
		return reflect.Value{}
	}
	m := (*sync.Mutex)(mutex.Addr().UnsafePointer())
	m.Lock()
	defer m.Unlock()
	return configs.MapIndex(reflect.ValueOf(name))
}

func orNone(v reflect.Value, name string) reflect.Value {
	if !v.IsValid() || v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.FieldByName(name)
}
