package slog

import (
	"bytes"
	"context"
	"log/slog"
	"reflect"
	"unsafe"

	"github.com/otelobj/otelobj/hooks/logs"
)

// The IDs of the span, in what the handlers of the standard library write.

// BeforeJSON runs before (*slog.JSONHandler).Handle(ctx, record).
func BeforeJSON(call HookContext, h *slog.JSONHandler, ctx context.Context, record slog.Record) {
	if h != nil {
		addIDs(call, 2, *(*unsafe.Pointer)(unsafe.Pointer(h)), ctx, record)
	}
}

// BeforeText runs before (*slog.TextHandler).Handle(ctx, record).
func BeforeText(call HookContext, h *slog.TextHandler, ctx context.Context, record slog.Record) {
	if h != nil {
		addIDs(call, 2, *(*unsafe.Pointer)(unsafe.Pointer(h)), ctx, record)
	}
}

// BeforeHandle runs before (*slog.commonHandler).handle(record), which both of them call: the compiler may have put the two above into the program's own
// handlers.
func BeforeHandle(call HookContext, h any, record slog.Record) {
	if v := reflect.ValueOf(h); v.Kind() == reflect.Pointer {
		addIDs(call, 1, v.UnsafePointer(), context.Background(), record)
	}
}

// addIDs adds to the record that is a parameter of a call. common: the *slog.commonHandler.
func addIDs(call HookContext, param int, common unsafe.Pointer, ctx context.Context, record slog.Record) {
	traceID, spanID, ok := logs.IDs(ctx)
	if !ok || has(record, logs.TraceID) || hasKey(preformatted(common), logs.TraceID) {
		return
	}
	record = record.Clone()
	record.AddAttrs(slog.String(logs.TraceID, traceID), slog.String(logs.SpanID, spanID))
	call.SetParam(param, record)
}

// has reports whether the program has given a record an attribute of this name.
func has(record slog.Record, key string) (found bool) {
	record.Attrs(func(a slog.Attr) bool {
		found = a.Key == key
		return !found
	})
	return found
}

// hasKey reports whether what With has added, as JSON or as text, has an attribute of this name. A value that looks like one is taken for it.
func hasKey(preformatted []byte, key string) bool {
	if bytes.Contains(preformatted, []byte(`"`+key+`":`)) {
		return true
	}
	rest := preformatted
	for {
		at := bytes.Index(rest, []byte(key+"="))
		if at < 0 {
			return false
		}
		if at == 0 || rest[at-1] == ' ' || rest[at-1] == '.' {
			return true
		}
		rest = rest[at+1:]
	}
}

// preformattedAt is where a commonHandler, the one field of a JSONHandler and of a TextHandler, keeps what With has added, as it will be written; 0 if it
// does not.
var preformattedAt = findPreformatted()

func findPreformatted() uintptr {
	for _, t := range []reflect.Type{reflect.TypeFor[slog.JSONHandler](), reflect.TypeFor[slog.TextHandler]()} {
		if t.NumField() != 1 || t.Field(0).Type.Kind() != reflect.Pointer || t.Field(0).Type.Elem().Kind() != reflect.Struct {
			return 0
		}
	}
	f, ok := reflect.TypeFor[slog.JSONHandler]().Field(0).Type.Elem().FieldByName("preformattedAttrs")
	if !ok || f.Type != reflect.TypeFor[[]byte]() {
		return 0
	}
	return f.Offset
}

func preformatted(common unsafe.Pointer) []byte {
	if common == nil || preformattedAt == 0 {
		return nil
	}
	return *(*[]byte)(unsafe.Add(common, preformattedAt))
}
