package sdk

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"go.opentelemetry.io/otel"
)

// What others have sent is printed so that it cannot move a terminal's cursor: what a collector answers, and headers that OpenTelemetry cannot read.

const maxText = 1000 // bytes of an error that are printed

// packageOf is the import path of a type's package, without what otelobj puts in front of it where OpenTelemetry is linked under a path of its own.
func packageOf(t reflect.Type) string { return strings.TrimPrefix(t.PkgPath(), "otelobj.private/") }

// printable is an error whose text is safe to print.
type printable struct {
	error
	text string
}

func (p printable) Error() string { return p.text }
func (p printable) Unwrap() error { return p.error }

// quoted returns err, or one that says the same in quotes, if its text is long or holds what is not to be printed.
func quoted(err error) error {
	text := err.Error()
	clean := utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
	var already printable
	if clean && (len(text) <= maxText || errors.As(err, &already)) {
		return err
	}
	if len(text) > maxText {
		text = text[:maxText] + "…"
	}
	return printable{err, strconv.Quote(strings.TrimSpace(text))}
}

// quoteErrors makes what OpenTelemetry prints by itself printable: exporters hand it messages of collectors (partial success). Only where the
// program has not set a handler of its own. One that it sets later takes the place of ours, also for handlers that were fetched before.
func quoteErrors() {
	if b, ok := otel.GetErrorHandler().(interface{ Quote(f func(error) error) }); ok { // the bridge's, which hands on to that of the program's API
		b.Quote(quoted)
		return
	}
	set := reflect.ValueOf(otel.GetErrorHandler())
	if set.Kind() != reflect.Pointer || set.Type().Elem().Name() != "ErrDelegator" || !strings.HasPrefix(packageOf(set.Type().Elem()), "go.opentelemetry.io/otel/internal/") {
		return
	}
	standard := reflect.New(set.Type().Elem()) // a copy: what is there hands on to the handler that is set first
	standard.Elem().Set(set.Elem())
	h, ok := standard.Interface().(otel.ErrorHandler)
	if ok && !handOn(set.Elem(), quotingHandler{h}) {
		otel.SetErrorHandler(quotingHandler{h})
	}
}

// handOn makes an ErrDelegator hand on to h, as if that were its default: SetErrorHandler would count as the program's first call of it, after
// which handlers that were fetched hand on to no other. It reports whether it has found where that is kept, `delegate
// atomic.Pointer[ErrorHandler]` (otel/internal/errorhandler, before v1.41 otel/internal/global).
func handOn(delegator reflect.Value, h otel.ErrorHandler) bool {
	place := delegator.FieldByName("delegate")
	if !place.IsValid() || place.Type().PkgPath() != "sync/atomic" || place.Type().Size() != unsafe.Sizeof(uintptr(0)) || place.Type().NumField() == 0 {
		return false
	}
	kind := place.Type().Field(0).Type // [0]*ErrorHandler (sync/atomic/type.go)
	if kind.Kind() != reflect.Array || kind.Elem().Kind() != reflect.Pointer {
		return false
	}
	if kind = kind.Elem().Elem(); kind.Kind() != reflect.Interface || !reflect.TypeOf(h).Implements(kind) {
		return false
	}
	value := reflect.New(kind)
	value.Elem().Set(reflect.ValueOf(h))
	atomic.StorePointer((*unsafe.Pointer)(place.Addr().UnsafePointer()), value.UnsafePointer())
	return true
}

// quotingHandler prints as the handler does that it takes the place of.
type quotingHandler struct{ otel.ErrorHandler }

// Handle implements otel.ErrorHandler.
func (h quotingHandler) Handle(err error) {
	if err != nil {
		err = quoted(err)
	}
	h.ErrorHandler.Handle(err)
}
