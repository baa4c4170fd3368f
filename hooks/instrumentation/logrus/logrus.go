// Package logrus has the hooks for github.com/sirupsen/logrus: entries become log records of OpenTelemetry as the official bridge, otellogrus, makes them, and
// the program's own output gets the IDs of the span.
package logrus

import (
	"io"
	"maps"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/sirupsen/logrus"
	"go.opentelemetry.io/contrib/bridges/otellogrus"

	"github.com/otelobj/otelobj/hooks/logs"
)

// HookContext is what the hooks need of a call.
type HookContext interface {
	SetData(data any)
	GetData() any
}

// scope is the name of the records' scope.
const scope = "github.com/sirupsen/logrus"

var (
	records = logs.New(scope)
	bridge  = sync.OnceValue(func() *otellogrus.Hook { return otellogrus.NewHook(scope) })
	ready   atomic.Bool // a program's init functions may log before this package is initialised
)

func init() { ready.Store(true) }

// written is an entry on its way.
type written struct {
	logs.Writing
	entry *logrus.Entry
	data  logrus.Fields // as the program knows them: it gets the entry as the value of a panic
}

// BeforeWrite runs before (*logrus.Entry).write(), which formats and writes an entry that is made for this: levels have been looked at, and the program's hooks
// have run.
func BeforeWrite(call HookContext, e *logrus.Entry) {
	if e == nil || e.Logger == nil || !ready.Load() {
		return
	}
	theirs := hasFired(e)
	if records.IsOn() && !logs.IsWriting() && !theirs {
		copied := &logrus.Entry{Logger: e.Logger, Time: e.Time, Level: e.Level, Caller: e.Caller, Message: e.Message, Context: logs.Context(e.Context)}
		sent := logs.Guard(func() {
			copied.Data = shown(e.Data)
			_ = bridge().Fire(copied)
		})
		if !sent { // without the fields, one of which panics
			copied.Data = nil
			logs.Guard(func() { _ = bridge().Fire(copied) })
		}
	}
	w := &written{entry: e}
	if traceID, spanID, ok := logs.IDs(e.Context); ok {
		if _, has := e.Data[logs.TraceID]; !has {
			w.data = e.Data
			e.Data = make(logrus.Fields, len(w.data)+2)
			maps.Copy(e.Data, w.data)
			e.Data[logs.TraceID], e.Data[logs.SpanID] = traceID, spanID
		}
	}
	w.Begin()
	call.SetData(w)
}

// shown returns fields where values are what logs.Value makes of them. Which formatter a logger has is known under its lock only, and not all of them encode JSON.
func shown(fields logrus.Fields) logrus.Fields {
	made := make(logrus.Fields, len(fields))
	for k, v := range fields {
		made[k] = logs.Value(v, logs.Unknown)
	}
	return made
}

// AfterWrite runs when it has returned, or was unwound.
func AfterWrite(call HookContext) {
	w, ok := call.GetData().(*written)
	if !ok {
		return
	}
	w.End()
	if w.data != nil {
		w.entry.Data = w.data
	}
}

// fired are entries that the program has sent itself, on their way to be written; by address, since they are not kept alive.
var (
	fired  sync.Map // uintptr to struct{}
	nFired atomic.Int32
)

// maxFired bounds them: a hook may be fired by somebody who writes nothing.
const maxFired = 1000

// BeforeFire runs before (*otellogrus.Hook).Fire(entry) of the program's copy of the bridge.
func BeforeFire(_ HookContext, _ any, e *logrus.Entry) {
	if nFired.Add(1) > maxFired {
		fired.Clear()
		nFired.Store(1)
	}
	fired.Store(uintptr(unsafe.Pointer(e)), struct{}{})
}

// hasFired reports whether the program has sent an entry itself.
func hasFired(e *logrus.Entry) bool {
	if nFired.Load() == 0 {
		return false
	}
	_, has := fired.LoadAndDelete(uintptr(unsafe.Pointer(e)))
	if has {
		nFired.Add(-1)
	}
	return has
}

// AfterWriter runs when (*logrus.Entry).WriterLevel(level) has returned a writer of which lines the logger makes entries.
func AfterWriter(_ HookContext, w *io.PipeWriter) {
	if w != nil {
		logs.AddLoggerWriter(w)
	}
}
