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

// Form is how a program's own output has the values that it gives its logger. What is behind a pointer may be locked, or written by somebody else: where that
// output does not look there, nor does the exported record.
type Form int

const (
	// JSON is what encoding/json makes of a value: it follows all pointers.
	JSON Form = iota
	// Text is as slog.TextHandler has it: MarshalText, else what fmt prints, which follows no pointers inside, and asks values inside for their texts.
	Text
	// Unknown may be either, or neither: no value inside is asked, but for errors.
	Unknown
)

// Value returns what is exported of a value of any type that the program has given to its logger. OpenTelemetry's bridges write the fields of a struct, those
// included that its methods and tags keep out of every other output: what is not simple is replaced by the text that it has of itself, by JSON, or by the
// name of its type. Errors remain, since their type is exported, and so do lists and maps.
func Value(v any, form Form) any { return valueOf(v, form, maxDepth) }

func valueOf(v any, form Form, depth int) (made any) {
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
	if err, ok := v.(error); ok {
		return err
	}
	if m, ok := v.(json.Marshaler); ok && form == JSON {
		return encoded(m)
	}
	if isInside := depth < maxDepth; form == Unknown && isInside && isAsked(v) && !isSafe(r.Type()) {
		return typeName(v)
	}
	if m, ok := v.(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err != nil {
			return typeName(v)
		}
		return sanitize.Stack(string(text))
	}
	t := r.Type()
	if form != JSON && hides(t) && !hasText(v) {
		return typeName(v)
	}
	switch t.Kind() {
	case reflect.Struct:
		return object(v, form)
	case reflect.Pointer:
		if form != JSON && depth < maxDepth && !hasText(v) {
			return typeName(v)
		}
		if t.Elem().Kind() == reflect.Struct {
			return object(v, form)
		}
		if depth == 0 || form != JSON {
			return typeName(v)
		}
		return valueOf(r.Elem().Interface(), form, depth-1)
	case reflect.Slice, reflect.Array:
		if isPlain(t.Elem()) {
			return v
		}
		if depth == 0 {
			return typeName(v)
		}
		list := make([]any, r.Len())
		for i := range list {
			list[i] = valueOf(r.Index(i).Interface(), form, depth-1)
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
			pairs[key] = valueOf(i.Value().Interface(), form, depth-1)
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
func object(v any, form Form) string {
	switch {
	case hasText(v):
		return sanitize.Stack(fmt.Sprintf("%+v", v))
	case form == JSON:
		return encoded(v)
	}
	return shallow(v, form)
}

// hasText reports whether fmt asks a value for its text.
func hasText(v any) bool {
	switch v.(type) {
	case fmt.Formatter, fmt.Stringer, error:
		return true
	}
	return false
}

var (
	marshalsJSON = reflect.TypeFor[json.Marshaler]()
	marshalsText = reflect.TypeFor[encoding.TextMarshaler]()
)

// hides reports whether values of a type say themselves how they are written: their fields may be what they keep out.
func hides(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Implements(marshalsJSON) || t.Implements(marshalsText) || p.Implements(marshalsJSON) || p.Implements(marshalsText)
}

// isAsked reports whether some output calls a method of a value.
func isAsked(v any) bool { return hasText(v) || hides(reflect.TypeOf(v)) }

// isSafe reports whether methods of a type are known to take no lock and to follow no pointer of the program's.
func isSafe(t reflect.Type) bool {
	switch t.PkgPath() {
	case "time", "net", "net/netip":
		return t.Kind() != reflect.Pointer
	}
	return false
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
