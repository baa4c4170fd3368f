package nethttp

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// Keys of the semantic conventions, spelled out: the semconv packages carry their version in the import path, and the program's
// OpenTelemetry may be too old, or too new, to have a given one.
const (
	keyClientAddress          = attribute.Key("client.address")
	keyErrorType              = attribute.Key("error.type")
	keyExceptionMessage       = attribute.Key("exception.message")
	keyExceptionStacktrace    = attribute.Key("exception.stacktrace")
	keyExceptionType          = attribute.Key("exception.type")
	keyRequestBodySize        = attribute.Key("http.request.body.size")
	keyRequestMethod          = attribute.Key("http.request.method")
	keyRequestMethodOriginal  = attribute.Key("http.request.method_original")
	keyResponseBodySize       = attribute.Key("http.response.body.size")
	keyResponseStatusCode     = attribute.Key("http.response.status_code")
	keyRoute                  = attribute.Key("http.route")
	keyNetworkPeerAddress     = attribute.Key("network.peer.address")
	keyNetworkPeerPort        = attribute.Key("network.peer.port")
	keyNetworkProtocolName    = attribute.Key("network.protocol.name")
	keyNetworkProtocolVersion = attribute.Key("network.protocol.version")
	keyServerAddress          = attribute.Key("server.address")
	keyServerPort             = attribute.Key("server.port")
	keyURLFull                = attribute.Key("url.full")
	keyURLPath                = attribute.Key("url.path")
	keyURLScheme              = attribute.Key("url.scheme")
	keyUserAgentOriginal      = attribute.Key("user_agent.original")

	eventException = "exception"
	methodOther    = "_OTHER"
)

// attrs are attributes on their way into a span or a set, both of which copy them, so that the slice can be used again.
type attrs []attribute.KeyValue

var attrPool = sync.Pool{New: func() any { a := make(attrs, 0, 16); return &a }}

func getAttrs() *attrs { return attrPool.Get().(*attrs) }

// free returns the slice to the pool, without the strings.
func (a *attrs) free() {
	clear(*a)
	*a = (*a)[:0]
	attrPool.Put(a)
}

func (a *attrs) str(k attribute.Key, v string)  { *a = append(*a, k.String(v)) }
func (a *attrs) num(k attribute.Key, v int)     { *a = append(*a, k.Int(v)) }
func (a *attrs) num64(k attribute.Key, v int64) { *a = append(*a, k.Int64(v)) }

// set makes a set of the attributes and frees the slice.
func (a *attrs) set() attribute.Set {
	s := attribute.NewSet(*a...)
	a.free()
	return s
}

// method adds the method to a span's attributes, in upper case if it is a known one then.
func (a *attrs) method(method string) {
	if method == "" {
		method = http.MethodGet
	}
	known := standardMethod(method)
	a.str(keyRequestMethod, known)
	if known != method {
		a.str(keyRequestMethodOriginal, strings.Clone(sanitize.Text(method)))
	}
}

// protocol adds name and version; the name of HTTP itself goes without saying on a span, but not on a metric.
func (a *attrs) protocol(proto string) {
	name, version := netProtocol(proto)
	if name == "http" {
		name = ""
	}
	a.network(protocol{name, version})
}

func (a *attrs) network(p protocol) {
	if p.name != "" {
		a.str(keyNetworkProtocolName, p.name)
	}
	if p.version != "" {
		a.str(keyNetworkProtocolVersion, p.version)
	}
}

// server adds address and port of a server; the port only if it is not the scheme's own.
func (a *attrs) server(host string, port int, https bool) {
	a.str(keyServerAddress, host)
	if port > 0 && !(https && port == 443) && !(!https && port == 80) {
		a.num(keyServerPort, port)
	}
}

// Method and protocol of a request are substrings of its first line, which may be long, so copies are kept.
var (
	standardMethods = map[string]string{
		http.MethodConnect: http.MethodConnect, http.MethodDelete: http.MethodDelete, http.MethodGet: http.MethodGet,
		http.MethodHead: http.MethodHead, http.MethodOptions: http.MethodOptions, http.MethodPatch: http.MethodPatch,
		http.MethodPost: http.MethodPost, http.MethodPut: http.MethodPut, http.MethodTrace: http.MethodTrace,
	}
	protocols = map[string]string{"HTTP/1.0": "1.0", "HTTP/1.1": "1.1", "HTTP/2.0": "2.0", "HTTP/3.0": "3.0"}
)

const longestMethod = len(http.MethodConnect)

func standardMethod(method string) string {
	if len(method) <= longestMethod {
		if m, ok := standardMethods[strings.ToUpper(method)]; ok {
			return m
		}
	}
	return methodOther
}

// spanMethod is the method as a span's name has it.
func spanMethod(method string) string {
	if method == "" {
		return http.MethodGet
	}
	if m := standardMethod(method); m != methodOther {
		return m
	}
	return "HTTP"
}

// netProtocol splits "HTTP/1.1" into "http" and "1.1"; major and minor of "HTTP/2.0" stay as they are.
func netProtocol(proto string) (name, version string) {
	if known, ok := protocols[proto]; ok {
		return "http", known
	}
	name, version, _ = strings.Cut(strings.Clone(sanitize.Text(proto)), "/")
	if name == "HTTP" {
		return "http", version
	}
	return strings.ToLower(name), version
}

// route cuts a pattern of http.ServeMux ("GET example.com/items/{id}") to its path.
func route(pattern string) string {
	if i := strings.IndexByte(pattern, '/'); i >= 0 {
		return pattern[i:]
	}
	return ""
}

// splitHostPort accepts "host", "host:port", ":port" and IPv6 hosts in brackets. A port that is missing or no number is -1.
func splitHostPort(hostport string) (host string, port int) {
	if strings.HasPrefix(hostport, "[") {
		end := strings.LastIndexByte(hostport, ']')
		if end < 0 {
			return "", -1
		}
		if !strings.Contains(hostport[end:], ":") {
			return hostport[1:end], -1
		}
	} else if !strings.Contains(hostport, ":") {
		return hostport, -1
	}
	host, text, err := net.SplitHostPort(hostport)
	if err != nil {
		return "", -1
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return host, -1
	}
	return host, int(n)
}

// errorType names the type of an error: the value of error.type on a span. As in the semconv packages, an error can name it itself, and what
// fmt.Errorf has wrapped counts.
func errorType(err error) string {
	var et interface{ ErrorType() string }
	if errors.As(err, &et) {
		if s := et.ErrorType(); s != "" {
			return s
		}
	}
	for reflect.TypeOf(err) == wrapErrorType {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	return typeName(reflect.TypeOf(err))
}

var wrapErrorType = reflect.TypeOf(fmt.Errorf("%w", errors.New("")))

// metricErrorType is the value of error.type on a metric: that of the error at hand, without the star of a pointer, as otelhttp has it.
func metricErrorType(err error) string {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return typeName(t)
}

func typeName(t reflect.Type) string {
	if t.PkgPath() != "" && t.Name() != "" {
		return t.PkgPath() + "." + t.Name()
	}
	return t.String()
}

// messageOf is the text of a panic's value.
func messageOf(value any) string {
	if err, ok := value.(error); ok {
		return sanitize.Error(err)
	}
	return sanitize.Message(fmt.Sprint(value))
}

// exception returns what the SDK writes into the event of a panic, without the dot that it puts before "string".
func exception(value any) []attribute.KeyValue {
	return []attribute.KeyValue{keyExceptionType.String(typeName(reflect.TypeOf(value))), keyExceptionMessage.String(messageOf(value))}
}
