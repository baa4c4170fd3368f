package nethttp

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"sync"
	"unsafe"
)

// What net/http keeps in unexported fields is found by name and checked by type, so that a Go version that moves a field loses
// an attribute and nothing else. Read in the sources of Go 1.22 to 1.27:
//
//	http.Request            ctx context.Context; pat *pattern
//	*http.response          status int; wroteHeader bool; written int64; req.Body is *body or *expectContinueReader
//	                        conn *conn -> hijackedv bool
//	*http.http2responseWriter, golang.org/x/net/http2.responseWriter    rws -> status, wroteHeader, wroteBytes
//	http.http2ResponseWriter (1.27)    embedded *http2.ResponseWriter -> rws -> the same
//	*http.body              src io.Reader: *io.LimitedReader, or the reader of chunks
//	*http.expectContinueReader         readCloser io.ReadCloser: *body

var (
	contextType = reflect.TypeFor[context.Context]()
	readerType  = reflect.TypeFor[io.Reader]()
	closerType  = reflect.TypeFor[io.ReadCloser]()
	limitedType = reflect.TypeFor[*io.LimitedReader]()
	requestType = reflect.TypeFor[http.Request]()
)

// requestContext is the offset of http.Request's context, or -1.
var requestContext = fieldOffset(requestType, "ctx", contextType)

func fieldOffset(t reflect.Type, name string, want reflect.Type) int {
	if t.Kind() != reflect.Struct {
		return -1
	}
	f, ok := t.FieldByName(name)
	if !ok || len(f.Index) != 1 || f.Type != want {
		return -1
	}
	return int(f.Offset)
}

// setContext sets the context of a request in place and reports whether it could.
func setContext(req *http.Request, ctx context.Context) bool {
	if requestContext < 0 {
		return false
	}
	*(*context.Context)(unsafe.Add(unsafe.Pointer(req), requestContext)) = ctx
	return true
}

// requestPattern is the offset of what a request has matched in an http.ServeMux, or -1.
var requestPattern = func() int {
	f, ok := requestType.FieldByName("pat")
	if !ok || len(f.Index) != 1 || f.Type.Kind() != reflect.Pointer {
		return -1
	}
	return int(f.Offset)
}()

// hasMatched reports whether a request is known to have matched a pattern, as opposed to having been redirected.
func hasMatched(req *http.Request) bool {
	return requestPattern >= 0 && *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(req), requestPattern)) != nil
}

// responseFields says where a type of http.ResponseWriter keeps what was sent.
type responseFields struct {
	ok                           bool
	path                         []uintptr // pointers to follow from the interface's data word, each at an offset
	status, wroteHeader, written uintptr

	canHijack      bool
	conn, hijacked uintptr // of the pointer to the connection, and in that
}

var responseTypes sync.Map // reflect.Type to *responseFields

// sent returns status and number of body bytes that a handler has written; the status is 0 if no header was.
func sent(rw http.ResponseWriter) (status int, written int64, ok bool) {
	f := responseFieldsOf(rw)
	p := words(&rw)[1]
	if f == nil || !f.ok || p == nil {
		return 0, 0, false
	}
	for _, off := range f.path {
		if p = *(*unsafe.Pointer)(unsafe.Add(p, off)); p == nil {
			return 0, 0, false
		}
	}
	if *(*bool)(unsafe.Add(p, f.wroteHeader)) {
		status = *(*int)(unsafe.Add(p, f.status))
	}
	return status, *(*int64)(unsafe.Add(p, f.written)), true
}

func responseFieldsOf(rw http.ResponseWriter) *responseFields {
	t := reflect.TypeOf(rw)
	if t == nil {
		return nil
	}
	v, found := responseTypes.Load(t)
	if !found {
		v, _ = responseTypes.LoadOrStore(t, findResponse(t))
	}
	return v.(*responseFields)
}

// hijacked reports whether the handler has taken over the connection. net/http reads the field under a mutex, since a handler may do
// that on another goroutine; once the handler has returned nobody changes it.
//
//go:norace
//go:nocheckptr
func hijacked(rw http.ResponseWriter) bool {
	f := responseFieldsOf(rw)
	if f == nil || !f.canHijack {
		return false
	}
	p := words(&rw)[1]
	if p == nil {
		return false
	}
	if p = *(*unsafe.Pointer)(unsafe.Add(p, f.conn)); p == nil {
		return false
	}
	return *(*bool)(unsafe.Add(p, f.hijacked))
}

func findResponse(t reflect.Type) *responseFields {
	f := &responseFields{}
	// An interface holds a pointer, and a struct of one pointer, in its data word.
	if t.Kind() == reflect.Struct && t.NumField() == 1 && t.Field(0).Type.Kind() == reflect.Pointer {
		t = t.Field(0).Type
	}
	if t.Kind() != reflect.Pointer {
		return f
	}
	t = t.Elem()
	for range 3 {
		if t.Kind() != reflect.Struct {
			return f
		}
		if f.here(t) {
			f.ok = true
			f.findConn(t)
			return f
		}
		next, ok := t.FieldByName("rws")
		if !ok || len(next.Index) != 1 || next.Type.Kind() != reflect.Pointer {
			return f
		}
		f.path = append(f.path, next.Offset)
		t = next.Type.Elem()
	}
	return f
}

// here looks for the three fields in t.
func (f *responseFields) here(t reflect.Type) bool {
	status := fieldOffset(t, "status", reflect.TypeFor[int]())
	wrote := fieldOffset(t, "wroteHeader", reflect.TypeFor[bool]())
	written := fieldOffset(t, "written", reflect.TypeFor[int64]())
	if written < 0 {
		written = fieldOffset(t, "wroteBytes", reflect.TypeFor[int64]())
	}
	if status < 0 || wrote < 0 || written < 0 {
		return false
	}
	f.status, f.wroteHeader, f.written = uintptr(status), uintptr(wrote), uintptr(written)
	return true
}

// findConn looks for the connection that a handler can take over: one that the response itself has.
func (f *responseFields) findConn(t reflect.Type) {
	conn, ok := t.FieldByName("conn")
	if len(f.path) != 0 || !ok || len(conn.Index) != 1 || conn.Type.Kind() != reflect.Pointer {
		return
	}
	if off := fieldOffset(conn.Type.Elem(), "hijackedv", reflect.TypeFor[bool]()); off >= 0 {
		f.canHijack, f.conn, f.hijacked = true, conn.Offset, uintptr(off)
	}
}

// bodyField is the io.Reader or io.ReadCloser inside a body of net/http's server.
type bodyField struct {
	kind   bodyKind
	offset uintptr
}

type bodyKind int

const (
	bodyUnknown  bodyKind = iota
	bodySource            // *http.body: offset of src
	bodyExpect            // *http.expectContinueReader: offset of readCloser
	bodyStandsOn          // HTTP/2: nobody looks at the type of Request.Body
)

var bodyTypes sync.Map // reflect.Type to bodyField

func bodyFieldOf(t reflect.Type) bodyField {
	v, found := bodyTypes.Load(t)
	if !found {
		v, _ = bodyTypes.LoadOrStore(t, findBody(t))
	}
	return v.(bodyField)
}

func findBody(t reflect.Type) bodyField {
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return bodyField{}
	}
	e := t.Elem()
	if e.PkgPath() == "net/http" && e.Name() == "body" {
		if off := fieldOffset(e, "src", readerType); off >= 0 {
			return bodyField{bodySource, uintptr(off)}
		}
		return bodyField{}
	}
	if e.PkgPath() == "net/http" && e.Name() == "expectContinueReader" {
		if off := fieldOffset(e, "readCloser", closerType); off >= 0 {
			return bodyField{bodyExpect, uintptr(off)}
		}
		return bodyField{}
	}
	switch e.PkgPath() + "." + e.Name() {
	case "net/http.http2requestBody", "net/http/internal/http2.requestBody", "golang.org/x/net/http2.requestBody":
		return bodyField{kind: bodyStandsOn}
	}
	return bodyField{}
}
