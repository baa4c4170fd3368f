// Package log has the hooks for the standard library's package log: each line becomes a log record of OpenTelemetry. The lines stay as they are.
package log

import (
	"context"
	"io"
	"log"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otellog "go.opentelemetry.io/otel/log"

	"github.com/otelobj/otelobj/hooks/logs"
	"github.com/otelobj/otelobj/hooks/rt"
)

// HookContext is what the hooks need of a call.
type HookContext interface {
	SetParam(idx int, val any)
	SetData(data any)
	GetData() any
}

var (
	records = logs.New("log")
	ready   atomic.Bool // a program's init functions may log before this package is initialised
)

func init() { ready.Store(true) }

// BeforeOutput runs before (*log.Logger).output(pc, calldepth, appendOutput). The text is made here, once, since appendOutput may be on the caller's stack:
// the logger gets a function that returns the same.
//
// pc is 0 but for slog's default handler, whose records hooks/instrumentation/slog sends.
func BeforeOutput(call HookContext, l *log.Logger, pc uintptr, _ int, appendOutput func([]byte) []byte) {
	if pc != 0 || l == nil || appendOutput == nil || !ready.Load() || !records.IsOn() || logs.IsWriting() || isOthers(l.Writer()) {
		return
	}
	text := appendOutput(nil)
	call.SetParam(3, func(b []byte) []byte { return append(b, text...) })

	var r otellog.Record
	r.SetTimestamp(time.Now())
	r.SetSeverity(otellog.SeverityInfo) // what slog makes of such a line, too
	r.SetSeverityText("INFO")
	r.SetBody(attribute.StringValue(l.Prefix() + strings.TrimSuffix(string(text), "\n")))
	records.Emit(context.Background(), r)

	w := &logs.Writing{}
	w.Begin()
	call.SetData(w)
}

// AfterOutput runs when it has returned, or was unwound.
func AfterOutput(call HookContext, _ error) {
	if w, ok := call.GetData().(*logs.Writing); ok {
		w.End()
	}
}

// writers are packages with writers that make records of lines, and the instrumentations that send those.
var writers = map[string]string{
	"log/slog":                   "slog",
	"go.uber.org/zap":            "zap",
	"github.com/rs/zerolog":      "zerolog",
	"github.com/sirupsen/logrus": "logrus",
}

// isOthers reports whether what is written to w is no line of the program's log: another logger makes a record of it, nobody reads it, or it is a line of
// otelobj's own.
func isOthers(w io.Writer) bool {
	if w == io.Discard || logs.IsLoggerWriter(w) {
		return true
	}
	t := reflect.TypeOf(w)
	if t == nil {
		return true
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := writers[t.PkgPath()]; ok {
		return rt.Enabled(name)
	}
	return strings.HasPrefix(t.PkgPath(), "github.com/otelobj/otelobj/hooks/")
}
