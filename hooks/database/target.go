package database

import (
	"net"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otelobj/otelobj/hooks/rt/sanitize/sqltext"
)

// System is a kind of database.
type System struct {
	Name    string // db.system.name
	Dialect sqltext.Dialect
	Port    int // the usual one, which goes without saying; 0: there is none
}

// Systems that hooks know.
var (
	PostgreSQL = System{"postgresql", sqltext.PostgreSQL, 5432}
	MySQL      = System{"mysql", sqltext.MySQL, 3306}
	SQLite     = System{"sqlite", sqltext.SQLite, 0}
	SQLServer  = System{"microsoft.sql_server", sqltext.SQLServer, 1433}
	ClickHouse = System{"clickhouse", sqltext.Generic, 9000}
	Oracle     = System{"oracle.db", sqltext.Generic, 1521}
	Other      = System{"other_sql", sqltext.Generic, 0}
)

// Target is what is known of a database.
type Target struct {
	System
	Namespace string
	Address   string // a host, or the path of a socket
	PortInUse int    // 0: not known
}

// HostPort is the address with the port, if that is not the usual one.
func (t *Target) HostPort() string {
	if t.Address == "" || !t.hasPort() {
		return t.Address
	}
	return net.JoinHostPort(t.Address, strconv.Itoa(t.PortInUse))
}

func (t *Target) hasPort() bool { return t.PortInUse != 0 && t.PortInUse != t.Port }

// Set takes what a configuration says, unless something is known already. Of several hosts it is not known which one answers.
func (t *Target) Set(host string, port int, name string) {
	if t.Address == "" && !strings.Contains(host, ",") {
		if t.Address = Part(host); strings.HasPrefix(host, "/") {
			port = 0
		}
		t.PortInUse = port
	}
	if t.Namespace == "" {
		t.Namespace = Part(name)
	}
}

func (t *Target) attributes() []attribute.KeyValue {
	attrs := []attribute.KeyValue{keySystem.String(t.Name)}
	if t.Namespace != "" {
		attrs = append(attrs, keyNamespace.String(t.Namespace))
	}
	if t.Address != "" {
		attrs = append(attrs, keyServerAddress.String(t.Address))
		if t.hasPort() {
			attrs = append(attrs, keyServerPort.Int(t.PortInUse))
		}
	}
	return attrs
}

// poolName is the one that the semantic conventions advise.
func (t *Target) poolName() string {
	name := t.Address
	if name != "" && t.PortInUse != 0 {
		name += ":" + strconv.Itoa(t.PortInUse)
	}
	if t.Namespace != "" {
		if name != "" {
			name += "/"
		}
		name += t.Namespace
	}
	if name == "" {
		name = t.Name
	}
	return name
}

// MaxPart is the length of the longest name or address.
const MaxPart = 255

// Part returns a name or an address that a data source name or a configuration holds. What looks as if it had been cut at the wrong place is left out:
// beside it there is a password.
func Part(s string) string {
	if len(s) > MaxPart || strings.ContainsAny(s, "@=&?;'\" \x00\n") || !utf8.ValidString(s) {
		return ""
	}
	return strings.Clone(s)
}
