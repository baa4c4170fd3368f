package globals

import (
	"reflect"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel"
)

// errorHandler hands errors of the private copy to the program's handler, whichever is set at the moment.
type errorHandler struct {
	quote atomic.Pointer[func(error) error]
}

// Quote sets what makes errors printable. It is for the handler that the API begins with, which prints; one of the program's gets errors as they are.
func (h *errorHandler) Quote(f func(error) error) { h.quote.Store(&f) }

// Handle implements the private API's ErrorHandler.
func (h *errorHandler) Handle(err error) {
	theirs := otel.GetErrorHandler()
	if quote := h.quote.Load(); quote != nil && err != nil && prints(theirs) {
		err = (*quote)(err)
	}
	theirs.Handle(err)
}

// prints reports whether a handler is one of the API's.
func prints(h any) bool {
	t := reflect.TypeOf(h)
	if t == nil || t.Kind() != reflect.Pointer {
		return false
	}
	path := t.Elem().PkgPath()
	return path == "go.opentelemetry.io/otel" || strings.HasPrefix(path, "go.opentelemetry.io/otel/internal/")
}
