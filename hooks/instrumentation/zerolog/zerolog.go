// Package zerolog has the hooks for github.com/rs/zerolog: events become log records of OpenTelemetry, and the program's own output gets the IDs of the span.
//
// zerolog has written an event before anybody can look at it, so a record is made of what was written: a JSON object. There is no official bridge. Message, level and
// error go where the bridges of other loggers put them.
package zerolog

import (
	"bytes"
	"context"
	"reflect"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/log"

	"github.com/otelobj/otelobj/hooks/logs"
)

// HookContext is what the hooks need of a call.
type HookContext interface {
	SetData(data any)
	GetData() any
}

var (
	records = logs.New("github.com/rs/zerolog")
	ready   atomic.Bool // a program's init functions may log before this package is initialised
)

func init() { ready.Store(true) }

// BeforeWrite runs before (*zerolog.Event).write(), when the message and all fields are in the event.
func BeforeWrite(call HookContext, e *zerolog.Event) {
	if e == nil || !ready.Load() || !fields.known() {
		return
	}
	level, written := fields.level(e), *fields.buf(e)
	if level == zerolog.Disabled || len(written) == 0 || written[0] != '{' { // or CBOR
		return
	}
	ctx := fields.context(e)
	if records.IsOn() && !logs.IsWriting() {
		if r, ok := record(level, written); ok {
			records.Emit(ctx, r)
		}
	}
	if traceID, spanID, ok := logs.IDs(ctx); ok && !bytes.Contains(written, []byte(`"`+logs.TraceID+`":`)) {
		e.Str(logs.TraceID, traceID).Str(logs.SpanID, spanID)
	}
	w := &logs.Writing{}
	w.Begin()
	call.SetData(w)
}

// AfterWrite runs when it has returned, or was unwound.
func AfterWrite(call HookContext, _ error) {
	if w, ok := call.GetData().(*logs.Writing); ok {
		w.End()
	}
}

// record makes a record of an event's text, which has no end yet.
func record(level zerolog.Level, written []byte) (r log.Record, ok bool) {
	object, ok := parse(append(bytes.Clone(written), '}'))
	if !ok {
		return r, false
	}
	r.SetTimestamp(time.Now())
	if level != zerolog.NoLevel {
		r.SetSeverity(severity(level))
		r.SetSeverityText(level.String())
	}
	for _, kv := range object {
		switch string(kv.Key) {
		case zerolog.LevelFieldName, zerolog.TimestampFieldName:
			continue
		case zerolog.MessageFieldName:
			r.SetBody(kv.Value)
			continue
		case zerolog.ErrorFieldName:
			kv.Key = "exception.message"
		}
		r.AddAttributes(kv)
	}
	return r, true
}

// severity is that of the other bridges for levels of these names.
func severity(level zerolog.Level) log.Severity {
	switch level {
	case zerolog.DebugLevel:
		return log.SeverityDebug
	case zerolog.InfoLevel:
		return log.SeverityInfo
	case zerolog.WarnLevel:
		return log.SeverityWarn
	case zerolog.ErrorLevel:
		return log.SeverityError
	case zerolog.FatalLevel:
		return log.SeverityFatal
	case zerolog.PanicLevel:
		return log.SeverityFatal4
	case zerolog.TraceLevel:
		return log.SeverityTrace
	}
	if level < zerolog.TraceLevel {
		return log.SeverityTrace
	}
	return log.SeverityUndefined
}

// fields are where an Event keeps what is needed of it.
var fields = find()

type places struct {
	bufAt, levelAt, contextAt uintptr
	hasBuf, hasLevel, hasCtx  bool
}

func find() (p places) {
	t := reflect.TypeFor[zerolog.Event]()
	if f, ok := t.FieldByName("buf"); ok && f.Type == reflect.TypeFor[[]byte]() {
		p.bufAt, p.hasBuf = f.Offset, true
	}
	if f, ok := t.FieldByName("level"); ok && f.Type == reflect.TypeFor[zerolog.Level]() {
		p.levelAt, p.hasLevel = f.Offset, true
	}
	if f, ok := t.FieldByName("ctx"); ok && f.Type == reflect.TypeFor[context.Context]() { // from v1.30 on
		p.contextAt, p.hasCtx = f.Offset, true
	}
	return p
}

func (p *places) known() bool { return p.hasBuf && p.hasLevel }

func (p *places) buf(e *zerolog.Event) *[]byte {
	return (*[]byte)(unsafe.Add(unsafe.Pointer(e), p.bufAt))
}

func (p *places) level(e *zerolog.Event) zerolog.Level {
	return *(*zerolog.Level)(unsafe.Add(unsafe.Pointer(e), p.levelAt))
}

// context is that of Event.Ctx, else one without anything.
func (p *places) context(e *zerolog.Event) context.Context {
	if p.hasCtx {
		if ctx := *(*context.Context)(unsafe.Add(unsafe.Pointer(e), p.contextAt)); ctx != nil {
			return ctx
		}
	}
	return context.Background()
}
