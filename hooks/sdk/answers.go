package sdk

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/otel"
)

// What a collector answers is somebody else's text. It is read up to a bound, also by exporters of releases that read whatever comes
// (CVE-2026-39882, before 1.43), and printed so that it cannot move a terminal's cursor.

const (
	maxAnswer = 1 << 20 // bytes
	maxText   = 1000    // bytes of an error that are printed
	maxDepth  = 4       // of fields in fields, on the way from an exporter to its client
)

// boundAnswers bounds what an exporter reads, if it sends by HTTP. Exporters keep their client in an unexported field; one that is not found
// stays as it is.
func boundAnswers(exporter any) {
	if client := findClient(reflect.ValueOf(exporter), maxDepth); client != nil && client != http.DefaultClient {
		base := client.Transport
		if base == nil {
			base = http.DefaultTransport
		}
		client.Transport = boundedTransport{base}
	}
}

var clientType = reflect.TypeFor[*http.Client]()

// findClient looks for the *http.Client of a value of OpenTelemetry's own types.
func findClient(v reflect.Value, depth int) *http.Client {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		if v.Type() == clientType {
			if v.IsNil() {
				return nil
			}
			return (*http.Client)(v.UnsafePointer())
		}
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || depth == 0 || !strings.HasPrefix(packageOf(v.Type()), "go.opentelemetry.io/") && !isOurs(v.Type()) {
		return nil
	}
	for i := range v.NumField() {
		if found := findClient(v.Field(i), depth-1); found != nil {
			return found
		}
	}
	return nil
}

// packageOf is the import path of a type's package, without what otelobj puts in front of it where OpenTelemetry is linked under a path of its own.
func packageOf(t reflect.Type) string { return strings.TrimPrefix(t.PkgPath(), "otelobj.private/") }

func isOurs(t reflect.Type) bool { return t.PkgPath() == reflect.TypeFor[boundedTransport]().PkgPath() }

type boundedTransport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if resp != nil && resp.Body != nil {
		resp.Body = boundedBody{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (t boundedTransport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

type boundedBody struct {
	io.Reader
	io.Closer
}

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
// program has not set a handler of its own. One that it sets later takes the place of ours.
func quoteErrors() {
	set := reflect.ValueOf(otel.GetErrorHandler())
	if set.Kind() != reflect.Pointer || set.Type().Elem().Name() != "ErrDelegator" || !strings.HasPrefix(packageOf(set.Type().Elem()), "go.opentelemetry.io/otel/internal/") {
		return
	}
	standard := reflect.New(set.Type().Elem()) // a copy: what is there hands on to the handler that is set first
	standard.Elem().Set(set.Elem())
	if h, ok := standard.Interface().(otel.ErrorHandler); ok {
		otel.SetErrorHandler(quotingHandler{h})
	}
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
