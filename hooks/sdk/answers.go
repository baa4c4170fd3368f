//go:build !otelobj_program

package sdk

import (
	"io"
	"net/http"
	"reflect"
	"strings"
)

// What a collector answers is somebody else's text. It is read up to a bound, also by exporters of releases that read whatever comes
// (CVE-2026-39882, before 1.43), and printed in quotes (quote.go).

const (
	maxAnswer = 1 << 20 // bytes
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
		if t, ok := base.(*http.Transport); ok && t.MaxResponseHeaderBytes == 0 {
			t = t.Clone()
			t.MaxResponseHeaderBytes = maxAnswer
			base = t
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
