package logs

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// maxDepth is how deep lists and maps are looked into: they may contain themselves.
const maxDepth = 10

// Value returns what is exported of a value of any type that the program has given to its logger. OpenTelemetry's bridges write the fields of a struct, those
// included that its methods and tags keep out of every other output: what is not simple is replaced by the text that it has of itself, by JSON, or by the
// name of its type. Errors remain, since their type is exported, and so do lists and maps.
func Value(v any) any { return valueOf(v, maxDepth) }

func valueOf(v any, depth int) (made any) {
	switch v := v.(type) {
	case nil, bool, string, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, uintptr, float32, float64, complex64, complex128,
		time.Duration, time.Time, []byte, attribute.Value:
		return v
	}
	defer func() {
		if recover() != nil {
			made = typeName(v)
		}
	}()
	r := reflect.ValueOf(v)
	if isNil := r.Kind() == reflect.Pointer && r.IsNil(); isNil {
		if err, ok := v.(error); ok {
			return textOfNil(err)
		}
		return v
	}
	switch v := v.(type) {
	case error:
		return v
	case json.Marshaler:
		return encoded(v)
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return typeName(v)
		}
		return sanitize.Stack(string(text))
	}
	t := r.Type()
	switch t.Kind() {
	case reflect.Struct:
		return object(v)
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Struct {
			return object(v)
		}
		if depth == 0 {
			return typeName(v)
		}
		return valueOf(r.Elem().Interface(), depth-1)
	case reflect.Slice, reflect.Array:
		if isPlain(t.Elem()) {
			return v
		}
		if depth == 0 {
			return typeName(v)
		}
		list := make([]any, r.Len())
		for i := range list {
			list[i] = valueOf(r.Index(i).Interface(), depth-1)
		}
		return list
	case reflect.Map:
		if isPlain(t.Elem()) {
			return v
		}
		if depth == 0 {
			return typeName(v)
		}
		pairs := make(map[string]any, r.Len())
		for i := r.MapRange(); i.Next(); {
			key := i.Key().String()
			if i.Key().Kind() != reflect.String {
				key = fmt.Sprintf("%+v", i.Key().Interface()) // as the bridges do
			}
			pairs[key] = valueOf(i.Value().Interface(), depth-1)
		}
		return pairs
	}
	return v
}

// textOfNil returns the text of an error that is a nil pointer, most of which panic.
func textOfNil(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "<nil>"
		}
	}()
	return err.Error()
}

// object returns the text of a struct, or of a pointer to one.
func object(v any) string {
	switch v.(type) {
	case fmt.Formatter, fmt.Stringer:
		return sanitize.Stack(fmt.Sprintf("%+v", v))
	}
	return encoded(v)
}

// encoded returns a value as JSON, as loggers write it.
func encoded(v any) string {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return typeName(v)
	}
	return sanitize.Stack(string(bytes.TrimSuffix(text.Bytes(), []byte("\n"))))
}

func typeName(v any) string { return fmt.Sprintf("%T", v) }

// isPlain reports whether the values of a type are what the bridges export as it is.
func isPlain(t reflect.Type) bool {
	return t.PkgPath() == "" && (t.Kind() < reflect.Array || t.Kind() == reflect.String)
}
