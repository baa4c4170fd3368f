package zap

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"go.uber.org/zap/zapcore"

	"github.com/otelobj/otelobj/hooks/logs"
)

// BeforeWrite runs before (*zapcore.CheckedEntry).Write(fields...).
func BeforeWrite(call HookContext, entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	cores := coresOf(entry)
	if len(cores) == 0 || !ready.Load() {
		return
	}
	hasIDs := slices.ContainsFunc(fields, isTraceID)
	for _, c := range cores {
		if e, ok := c.(*exporter); ok {
			hasIDs = hasIDs || e.hasIDs
		}
	}
	if logs.IsWriting() || slices.ContainsFunc(cores, isBridge) {
		withoutExporters(entry)
	}
	ctx := contextOf(fields)
	if ctx == nil {
		ctx = context.Background()
	}
	if traceID, spanID, ok := logs.IDs(ctx); ok && !hasIDs {
		call.SetParam(1, append(slices.Clip(fields), own(logs.TraceID, traceID), own(logs.SpanID, spanID)))
	}
	w := &logs.Writing{}
	w.Begin()
	call.SetData(w)
}

// AfterWrite runs when it has returned, or was unwound.
func AfterWrite(call HookContext) {
	if w, ok := call.GetData().(*logs.Writing); ok {
		w.End()
	}
}

// mark is what tells our fields from those of the program. A field of type string uses no Interface.
var mark = new(byte)

func own(key, id string) zapcore.Field {
	return zapcore.Field{Key: key, Type: zapcore.StringType, String: id, Interface: mark}
}

func isOwn(f zapcore.Field) bool { return f.Type == zapcore.StringType && f.Interface == any(mark) }

func isTraceID(f zapcore.Field) bool { return f.Key == logs.TraceID }

// coresAt is where a CheckedEntry keeps its cores; 0 if it does not, and then nothing is sent.
var coresAt = findCores()

func findCores() uintptr {
	f, ok := reflect.TypeFor[zapcore.CheckedEntry]().FieldByName("cores")
	if !ok || f.Type != reflect.TypeFor[[]zapcore.Core]() {
		return 0
	}
	return f.Offset
}

func listOf(entry *zapcore.CheckedEntry) *[]zapcore.Core {
	if entry == nil || coresAt == 0 {
		return nil
	}
	return (*[]zapcore.Core)(unsafe.Add(unsafe.Pointer(entry), coresAt))
}

func coresOf(entry *zapcore.CheckedEntry) []zapcore.Core {
	if list := listOf(entry); list != nil {
		return *list
	}
	return nil
}

func withoutExporters(entry *zapcore.CheckedEntry) {
	if list := listOf(entry); list != nil {
		*list = slices.DeleteFunc(*list, isExporter)
	}
}

func isExporter(c zapcore.Core) bool {
	_, ok := c.(*exporter)
	return ok
}

// isBridge reports whether a core is one of the program's own copy of otelzap.
func isBridge(c zapcore.Core) bool {
	t := reflect.TypeOf(c)
	return t != nil && t.Kind() == reflect.Pointer && strings.HasSuffix(t.Elem().PkgPath(), "go.opentelemetry.io/contrib/bridges/otelzap")
}

func sends(c zapcore.Core) bool { return isExporter(c) || isBridge(c) }
