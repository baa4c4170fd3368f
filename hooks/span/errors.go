package span

import (
	"fmt"
	"reflect"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

const (
	keyExceptionType       = attribute.Key("exception.type")
	keyExceptionStacktrace = attribute.Key("exception.stacktrace")
	keyExceptionMessage    = attribute.Key("exception.message")
	eventException         = "exception"
	eventGoexit            = "runtime.Goexit"
)

// failure is an error or the value of a panic, as an exception event has it.
type failure struct{ kind, message, stack string }

// err reads a result of type error; false: there was no error.
//
//go:norace
//go:nocheckptr
func (v *value) err(args, results unsafe.Pointer) (failure, bool) {
	p := v.locate(args, results)
	if *(*unsafe.Pointer)(p) == nil {
		return failure{}, false
	}
	x := v.boxed(p)
	f := failure{kind: typeName(x)}
	if err, ok := x.(error); ok && !onStack(x) {
		f.message = message(err)
	}
	return f, true
}

func recordError(span trace.Span, f failure) {
	event := []attribute.KeyValue{keyExceptionType.String(f.kind), keyExceptionMessage.String(f.message)}
	if f.stack != "" {
		event = append(event, keyExceptionStacktrace.String(f.stack))
	}
	span.AddEvent(eventException, trace.WithAttributes(event...))
	span.SetStatus(codes.Error, f.message)
}

// recordUnwinding records why a call did not return. runtime.Goexit is a way to end, not a failure.
func recordUnwinding(span trace.Span, value any, goexit bool, stack []uintptr) {
	switch {
	case goexit:
		span.AddEvent(eventGoexit)
	case value == nil:
		span.SetStatus(codes.Error, "the call did not return")
	default:
		recordError(span, failure{typeName(value), message(value), sanitize.Stack(active.Stack(stack))})
	}
}

// message is the text that the runtime prints for a value with which the program panics.
func message(value any) (text string) {
	defer func() {
		if recover() != nil {
			text = "a " + typeName(value) + " whose text cannot be had: its method panics"
		}
	}()
	switch v := value.(type) {
	case error:
		return sanitize.Error(v)
	case fmt.Stringer:
		return sanitize.Message(v.String())
	}
	if a, ok := reflected(reflect.ValueOf(value), true); ok {
		return sanitize.Message(a.Emit())
	}
	return "a value of type " + typeName(value)
}

// typeName is the full name of a type that has a name.
func typeName(value any) string {
	t := reflect.TypeOf(value)
	if t.PkgPath() != "" && t.Name() != "" {
		return t.PkgPath() + "." + t.Name()
	}
	return t.String()
}
