package slog

import (
	"context"
	"log/slog"
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/otelobj/otelobj/hooks/logs"
)

var records = logs.New(scope)

// recorder stands in for the handler of a logger during one call.
type recorder struct {
	logs.Writing
	slog.Handler // the program's
	chain        slog.Handler
	logger       slog.Logger // with this handler: one allocation does for both
}

// asked returns the logger that is called instead.
func (r *recorder) asked() *slog.Logger {
	r.logger = *slog.New(r)
	return &r.logger
}

// BeforeLog runs before (*slog.Logger).log(ctx, level, msg, args...).
func BeforeLog(call HookContext, l *slog.Logger, ctx context.Context, level slog.Level, _ string, _ []any) {
	if h := recording(l, ctx, level); h != nil {
		call.SetParam(0, h.asked())
	}
}

// BeforeLogAttrs runs before (*slog.Logger).logAttrs(ctx, level, msg, attrs...).
func BeforeLogAttrs(call HookContext, l *slog.Logger, ctx context.Context, level slog.Level, _ string, _ []slog.Attr) {
	if h := recording(l, ctx, level); h != nil {
		call.SetParam(0, h.asked())
	}
}

// recording returns the handler for a call of a logger, nil if nothing is exported.
func recording(l *slog.Logger, ctx context.Context, level slog.Level) *recorder {
	if !ready.Load() || l == nil || !records.IsOn() {
		return nil
	}
	h := l.Handler()
	if h == nil || isStandard(h) && !h.Enabled(ctx, level) || logs.IsWriting() {
		return nil
	}
	return &recorder{Handler: h, chain: chainOf(l)}
}

// isStandard reports whether asking a handler twice whether it is enabled shows nowhere: those of the standard library that have no other inside.
func isStandard(h slog.Handler) bool {
	switch h.(type) {
	case *slog.JSONHandler, *slog.TextHandler:
		return true
	}
	return reflect.TypeOf(h) == defaultHandler
}

var defaultHandler = typeOfDefault()

// typeOfDefault returns the type of the handler that slog begins with, nil if the program has set another one before.
func typeOfDefault() reflect.Type {
	t := reflect.TypeOf(slog.Default().Handler())
	if t.Kind() == reflect.Pointer && t.Elem().PkgPath() == "log/slog" && t.Elem().Name() == "defaultHandler" {
		return t
	}
	return nil
}

// Handle implements slog.Handler.
func (r *recorder) Handle(ctx context.Context, record slog.Record) error {
	if !bridges.Load() {
		r.export(ctx, record)
		r.Begin()
		defer r.End()
		return r.Handler.Handle(ctx, record)
	}
	r.Begin()
	defer func() {
		if !r.End() {
			r.export(ctx, record)
		}
	}()
	return r.Handler.Handle(ctx, record)
}

func (r *recorder) export(ctx context.Context, record slog.Record) {
	ctx = logs.Context(ctx)
	if !logs.Guard(func() { _ = r.chain.Handle(ctx, shownRecord(record, formOf(r.Handler))) }) { // without the values, one of which panics
		logs.Guard(func() { _ = base().Handle(ctx, slog.NewRecord(record.Time, record.Level, record.Message, record.PC)) })
	}
}

// bridges says that the program has sent records by a handler of otelslog.
var bridges atomic.Bool

// AfterNewBridge runs when the program has made a handler of otelslog.
func AfterNewBridge(HookContext, any) { bridges.Store(true) }

// BeforeBridge runs before (*otelslog.Handler).Handle of the program's copy of it.
func BeforeBridge(HookContext, any, context.Context, slog.Record) { logs.Bridged() }

// handlerWriter has the layout of slog's type of that name: the writer of log.Logger values that hand on to a handler.
type handlerWriter struct {
	h         slog.Handler
	level     slog.Leveler
	capturePC bool
}

// BeforeWrite runs before (*slog.handlerWriter).Write(buf), which asks the handler and has it handle the line, as a logger does.
func BeforeWrite(call HookContext, w any, _ []byte) {
	if !ready.Load() || !records.IsOn() || logs.IsWriting() {
		return
	}
	t := reflect.TypeOf(w)
	if t == nil || t.Kind() != reflect.Pointer || !sameLayout(t.Elem(), reflect.TypeFor[handlerWriter]()) {
		return
	}
	c := *(*handlerWriter)(reflect.ValueOf(w).UnsafePointer())
	c.h = &recorder{Handler: c.h, chain: base()}
	call.SetParam(0, reflect.NewAt(t.Elem(), unsafe.Pointer(&c)).Interface())
}

// sameLayout reports whether two structs have the same fields.
func sameLayout(a, b reflect.Type) bool {
	if a.Kind() != reflect.Struct || a.NumField() != b.NumField() {
		return false
	}
	for i := range a.NumField() {
		if f, g := a.Field(i), b.Field(i); f.Name != g.Name || f.Type != g.Type || f.Offset != g.Offset {
			return false
		}
	}
	return true
}
