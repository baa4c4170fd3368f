package database

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otelobj/otelobj/hooks/rt/environ"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
	"github.com/otelobj/otelobj/hooks/rt/sanitize/sqltext"
)

// Keys of the semantic conventions, spelled out: the semconv packages carry their version in the import path.
const (
	keySystem        = attribute.Key("db.system.name")
	keyNamespace     = attribute.Key("db.namespace")
	keyQueryText     = attribute.Key("db.query.text")
	keyOperation     = attribute.Key("db.operation.name")
	keyCollection    = attribute.Key("db.collection.name")
	keyResponse      = attribute.Key("db.response.status_code")
	keyServerAddress = attribute.Key("server.address")
	keyServerPort    = attribute.Key("server.port")
	keyErrorType     = attribute.Key("error.type")
	keyBatchSize     = attribute.Key("db.operation.batch.size")

	other = "_OTHER"
)

// textVariable says what becomes of statements, and of what databases answer when they fail: "sanitized", "raw" or "none".
const textVariable = "OTELOBJ_DB_QUERY_TEXT"

// text is the variable's value.
var text = strings.ToLower(strings.TrimSpace(environ.Get(textVariable)))

// statement reads a statement as the variable says.
func statement(t *Target, query string) sqltext.Statement {
	s := sqltext.Read(query, t.Dialect)
	switch text {
	case "raw":
		s.Text = strings.ToValidUTF8(sanitize.Text(query), "�")
	case "none":
		s.Text = ""
	}
	return s
}

// named are errors without a type of their own.
var named = []namedError{
	{context.Canceled, "context.Canceled"},
	{context.DeadlineExceeded, "context.DeadlineExceeded"},
}

type namedError struct {
	err  error
	name string
}

// Name gives errors without a type of their own the name that error.type has for them. Their text is no data. It is for init functions.
func Name(err error, name string) { named = append(named, namedError{err, name}) }

// failure is how an operation has failed: kind is what a database has answered, or else the type of the error; code is "" where it has not.
type failure struct{ kind, code string }

func failureOf(err error) failure {
	if code := status(err); code != "" {
		return failure{code, code}
	}
	for _, n := range named {
		if errors.Is(err, n.err) {
			return failure{kind: n.name}
		}
	}
	for {
		t := reflect.TypeOf(err)
		inner := errors.Unwrap(err)
		if inner == nil || t.String() != "*fmt.wrapError" {
			return failure{kind: t.String()}
		}
		err = inner
	}
}

// append adds the attributes that say so.
func (f failure) append(attrs []attribute.KeyValue) []attribute.KeyValue {
	if f.kind != "" {
		attrs = append(attrs, keyErrorType.String(f.kind))
	}
	if f.code != "" {
		attrs = append(attrs, keyResponse.String(f.code))
	}
	return attrs
}

// status is the code with which a database refuses: SQLSTATE, or the number that the database has for it; "" where the error is none of a database's.
func status(err error) string {
	var state interface{ SQLState() string } // lib/pq, pgx
	if errors.As(err, &state) {
		return code(stateOf(state))
	}
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.ValueOf(err)
		if v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct {
			continue
		}
		for _, k := range codeFields {
			if f := v.FieldByName(k.field); strings.HasPrefix(v.Type().PkgPath(), k.path) && v.Type().Name() == k.typ && f.IsValid() {
				if f.CanInt() {
					return strconv.FormatInt(f.Int(), 10)
				} else if f.CanUint() {
					return strconv.FormatUint(f.Uint(), 10)
				}
			}
		}
	}
	return ""
}

// stateOf asks an error for its code; "" if the method panics, as many do on a nil pointer.
func stateOf(err interface{ SQLState() string }) (state string) {
	defer func() {
		if recover() != nil {
			state = ""
		}
	}()
	return err.SQLState()
}

// codeFields are fields of drivers' error types.
var codeFields = []struct{ path, typ, field string }{
	{"github.com/go-sql-driver/mysql", "MySQLError", "Number"},
	{"github.com/mattn/go-sqlite3", "Error", "Code"},
	{"modernc.org/sqlite", "Error", "code"},
	{"github.com/microsoft/go-mssqldb", "Error", "Number"},
}

// code returns a code if it looks like one.
func code(s string) string {
	if s == "" || len(s) > 16 {
		return ""
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return strings.Clone(s)
}

// description is the text of an error if that can be nothing of the data: databases quote in theirs what a statement was about.
func description(err error) string {
	if text == "raw" {
		return sanitize.Error(err)
	}
	for _, n := range named {
		if errors.Is(err, n.err) {
			return n.err.Error()
		}
	}
	var failed *net.OpError
	if errors.As(err, &failed) {
		return sanitize.Error(failed)
	}
	return ""
}
