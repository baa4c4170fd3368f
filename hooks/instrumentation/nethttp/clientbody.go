package nethttp

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// responseBody stands in for the body of a response and ends the client's span when it is read to its end or closed.
type responseBody struct {
	body io.ReadCloser
	span trace.Span
}

// duplexBody is the body of a successful protocol switch, which can be written, too.
type duplexBody struct{ *responseBody }

// halfCloser is one that can be closed for writing alone, as from Go 1.26 on.
type halfCloser struct{ duplexBody }

type closeWriter interface{ CloseWrite() error }

// watch returns what the program gets in the place of body: what offers all that body offers, and nothing else. A body with methods
// that are not known here (Transport.RegisterProtocol takes round trippers of anybody's) stays what it is, and the span ends at once.
func (b *responseBody) watch(body io.ReadCloser) io.ReadCloser {
	if body == nil || body == http.NoBody {
		b.span.End()
		return body
	}
	b.body = body
	_, writes := body.(io.Writer)
	_, halfCloses := body.(closeWriter)
	switch methods := reflect.TypeOf(body).NumMethod(); {
	case methods == 2: // Read, Close
		return b
	case methods == 3 && writes:
		return duplexBody{b}
	case methods == 4 && writes && halfCloses:
		return halfCloser{duplexBody{b}}
	}
	b.span.End()
	return body
}

// Read implements io.Reader.
func (b *responseBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil {
		if err == io.EOF {
			b.span.End() // does nothing the second time
		} else {
			b.fail(err)
		}
	}
	return n, err
}

// Close implements io.Closer.
func (b *responseBody) Close() error {
	b.span.End()
	return b.body.Close()
}

// Write implements io.Writer.
func (b duplexBody) Write(p []byte) (int, error) {
	n, err := b.body.(io.Writer).Write(p)
	if err != nil {
		b.fail(err)
	}
	return n, err
}

// CloseWrite ends what the program sends; it may go on reading.
func (b halfCloser) CloseWrite() error { return b.body.(closeWriter).CloseWrite() }

func (b *responseBody) fail(err error) {
	if b.span.IsRecording() {
		b.span.SetAttributes(keyErrorType.String(errorType(err)))
		b.span.SetStatus(codes.Error, sanitize.Error(err))
	}
}

// requestBody knows how much of a request's body was read.
type requestBody struct {
	length  int64                  // not counted: known beforehand
	current atomic.Pointer[upload] // counted: the body being sent, another one after a retry
	again   func() (io.ReadCloser, error)
}

type upload struct {
	io.ReadCloser
	n atomic.Int64
}

// uploadTo is an upload whose body knows how to write itself.
type uploadTo struct{ *upload }

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	u.n.Add(int64(n))
	return n, err
}

// WriteTo keeps the size of the chunks that net/http sends: those of the body's own WriteTo.
func (u uploadTo) WriteTo(w io.Writer) (int64, error) {
	n, err := u.ReadCloser.(io.WriterTo).WriteTo(w)
	u.n.Add(n)
	return n, err
}

// countRequest wraps the body of a request that is not the program's own, and GetBody, which makes the next one.
//
// A file, a connection or memory of known length stays as it is: see isPlain. Nobody but net/http sees the wrapper: round trippers that are
// registered for a scheme get a body of net/http's own, which reads and closes.
func countRequest(req *http.Request) *requestBody {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	b := &requestBody{}
	if req.ContentLength > 0 && isPlain(req.Body) {
		b.length = req.ContentLength
		return b
	}
	req.Body = b.wrap(req.Body)
	if req.GetBody != nil {
		b.again = req.GetBody
		req.GetBody = b.getBody
	}
	return b
}

func (b *requestBody) wrap(body io.ReadCloser) io.ReadCloser {
	u := &upload{ReadCloser: body}
	b.current.Store(u)
	if _, ok := body.(io.WriterTo); ok {
		return uploadTo{u}
	}
	return u
}

func (b *requestBody) getBody() (io.ReadCloser, error) {
	body, err := b.again()
	if err != nil || body == nil || body == http.NoBody {
		return body, err
	}
	return b.wrap(body), nil
}

// size returns the bytes read from the body that was sent last.
func (b *requestBody) size(succeeded bool) int64 {
	if b == nil {
		return 0
	}
	if u := b.current.Load(); u != nil {
		return u.n.Load()
	}
	if succeeded {
		return b.length
	}
	return 0
}

// nopCloserTypes are the types of io.NopCloser's results, with and without WriteTo.
var nopCloserTypes = [...]reflect.Type{
	reflect.TypeOf(io.NopCloser(io.MultiReader())),
	reflect.TypeOf(io.NopCloser(strings.NewReader(""))),
}

// isPlain reports whether net/http treats a body in a way of its own: it hands files and connections to the kernel, and sends
// what is in memory together with the header. Such a body must stay what it is.
func isPlain(body io.Reader) bool {
	for _, t := range nopCloserTypes {
		if v := reflect.ValueOf(body); v.Type() == t {
			body, _ = v.Field(0).Interface().(io.Reader)
			break
		}
	}
	switch body.(type) {
	case *os.File, *net.TCPConn, *net.UnixConn, *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return true
	}
	return false
}
