package zerolog

import (
	"fmt"
	"testing"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
)

func text(r log.Record) string {
	s := fmt.Sprint(r.Severity(), " ", r.SeverityText(), " ", r.Body().String())
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		s += fmt.Sprint(" ", kv.Key, "=", kv.Value.Type(), ":", kv.Value.String())
		return true
	})
	return s
}

func TestRecord(t *testing.T) {
	for written, want := range map[string]string{
		`{"level":"info","s":"x","n":2,"f":1.5,"big":18446744073709551615,"b":true,"z":null,"message":"m"`:              "INFO info m s=STRING:x n=INT64:2 f=FLOAT64:1.5 big=STRING:18446744073709551615 b=BOOL:true z=EMPTY:",
		`{"level":"error","error":"sold","in":{"a":{"b":[1,"x"]}},"s":"first","s":"second","time":"2026","message":"m"`: `ERROR info m exception.message=STRING:sold in=MAP:{"a":{"b":[1,"x"]}} s=STRING:second`,
		`{`: "INFO info ",
	} {
		level := zerolog.InfoLevel
		if written[min(10, len(written)-1)] == 'e' {
			level, want = zerolog.ErrorLevel, "ERROR error"+want[len("ERROR info"):]
		}
		r, ok := record(level, []byte(written))
		if got := text(r); !ok || got != want {
			t.Errorf("%s:\n%s\n%s", written, got, want)
		}
	}
	for _, damaged := range []string{`{"a":`, `{"a":1,`, `{"a":1}}`, "\xa1"} {
		if _, ok := record(zerolog.InfoLevel, []byte(damaged)); ok && damaged != `{"a":1}}` {
			t.Error(damaged)
		}
	}
}

// An Event of this release has what the hooks read.
func TestPlaces(t *testing.T) {
	if !fields.known() {
		t.Error("not found")
	}
	l := zerolog.New(nil)
	e := l.Warn().Str("k", "v")
	if fields.level(e) != zerolog.WarnLevel || string(*fields.buf(e)) != `{"level":"warn","k":"v"` {
		t.Error(fields.level(e), string(*fields.buf(e)))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":1.5e3}],"c":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		parse(b)
	})
}
