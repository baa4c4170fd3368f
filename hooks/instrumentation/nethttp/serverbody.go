package nethttp

import (
	"io"
	"net/http"
	"reflect"
	"sync/atomic"
	"unsafe"
)

// countingReader counts what is read through it. Atomic: a handler may read on another goroutine, and beyond its own return.
type countingReader struct {
	io.Reader
	n atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// countingBody is the body of an HTTP/2 request.
type countingBody struct {
	io.ReadCloser
	n atomic.Int64
}

func (c *countingBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// countBody arranges for the bytes of a request's body to be counted, and returns the counter, nil if there is no body or it is
// of an unknown kind.
//
// HTTP/1: net/http looks at the type of Request.Body while the handler runs and after it, to decide what becomes of the
// connection. So the body stays, and the reader below it is replaced: R of the io.LimitedReader of a body of known length, else
// the body's source, whose type net/http compares with *io.LimitedReader and nothing else. No other goroutine reads a body
// before the handler does. HTTP/2: nobody looks at Request.Body, which therefore is wrapped.
func countBody(req *http.Request) *atomic.Int64 {
	body := req.Body
	if body == nil || body == http.NoBody {
		return nil
	}
	f := bodyFieldOf(reflect.TypeOf(body))
	if f.kind == bodyStandsOn {
		b := &countingBody{ReadCloser: body}
		req.Body = b
		return &b.n
	}
	p := words(&body)[1]
	if f.kind == bodyExpect && p != nil {
		inner := *(*io.ReadCloser)(unsafe.Add(p, f.offset))
		if inner == nil {
			return nil
		}
		f = bodyFieldOf(reflect.TypeOf(inner))
		p = words(&inner)[1]
	}
	if f.kind != bodySource || p == nil {
		return nil
	}
	src := (*io.Reader)(unsafe.Add(p, f.offset))
	if limited, ok := (*src).(*io.LimitedReader); ok {
		src = &limited.R
	}
	if *src == nil {
		return nil
	}
	c := &countingReader{Reader: *src}
	*src = c
	return &c.n
}
