package grpc

import (
	"reflect"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// What an option does is known to grpc alone: it is an unexported method that sets unexported fields. So the options are applied to a set of options that is
// used for nothing else, and the fields are read there. Read in the sources of 1.40 to 1.85:
//
//	serverOptions                 statsHandler stats.Handler (to 1.47), statsHandlers []stats.Handler; unaryInt, streamInt; chainUnaryInts, chainStreamInts;
//	                              unknownStreamDesc *StreamDesc
//	dialOptions                   copts.StatsHandler (to 1.47), copts.StatsHandlers; unaryInt, streamInt; chainUnaryInts, chainStreamInts
//
// What is not found is as if the program had not set it, except for the handler of releases that have only one: see add.

// settings are what the program's options say.
type settings struct {
	traced bool          // the program traces this client or server itself
	only   stats.Handler // the program's handler, in a release that has room for one

	servesUnknown bool // a server has a handler for methods that are not registered
}

func readServer(opts []rpc.ServerOption) settings {
	set := apply(opts)
	if !set.IsValid() {
		return settings{}
	}
	s := read(set, set.FieldByName("statsHandler"), set.FieldByName("statsHandlers"))
	unknown := set.FieldByName("unknownStreamDesc")
	s.servesUnknown = unknown.IsValid() && unknown.Kind() == reflect.Pointer && !unknown.IsNil()
	return s
}

func readClient(opts []rpc.DialOption) settings {
	set := apply(opts)
	if !set.IsValid() {
		return settings{}
	}
	copts := set.FieldByName("copts")
	if !copts.IsValid() || copts.Kind() != reflect.Struct {
		return settings{}
	}
	return read(set, copts.FieldByName("StatsHandler"), copts.FieldByName("StatsHandlers"))
}

// applier is an option, as it looks to a caller of its method: an interface of one method, whose parameter is a pointer.
type applier interface{ apply(unsafe.Pointer) }

// apply applies options to a set of options of their own. The result is not valid if they are not what they are known to be, or if one of them panics, as it
// will again for the program.
func apply[Option any](opts []Option) (set reflect.Value) {
	defer func() {
		if recover() != nil {
			set = reflect.Value{}
		}
	}()
	t := reflect.TypeFor[Option]()
	if t.NumMethod() != 1 || t.Method(0).Name != "apply" {
		return reflect.Value{}
	}
	f := t.Method(0).Type
	if f.NumIn() != 1 || f.NumOut() != 0 || f.In(0).Kind() != reflect.Pointer || f.In(0).Elem().Kind() != reflect.Struct {
		return reflect.Value{}
	}
	target := reflect.New(f.In(0).Elem())
	for i := range opts {
		// Two interfaces of one method each have the same layout.
		if a := *(*applier)(unsafe.Pointer(&opts[i])); a != nil {
			a.apply(target.UnsafePointer())
		}
	}
	return target.Elem()
}

func read(set, one, several reflect.Value) settings {
	s := settings{traced: mentions(one, 0) || mentions(several, 0)}
	for _, name := range []string{"unaryInt", "streamInt", "chainUnaryInts", "chainStreamInts"} {
		s.traced = s.traced || intercepts(set.FieldByName(name))
	}
	if one.IsValid() && one.Type() == reflect.TypeFor[stats.Handler]() && !one.IsNil() {
		s.only = *(*stats.Handler)(one.Addr().UnsafePointer())
	}
	return s
}

const otelgrpcPath = "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"

// Types of ours, where a release's DialContext calls NewClient: the second one finds what the first one has added.
var ours = []reflect.Type{reflect.TypeFor[clientHandler](), reflect.TypeFor[serverHandler]()}

// Types of gRPC's own instrumentation, google.golang.org/grpc/stats/opentelemetry (1.75 on), that make spans. Others of it make metrics, of other names.
const pluginPath = "google.golang.org/grpc/stats/opentelemetry"

var pluginTypes = []string{"clientTracingHandler", "serverTracingHandler"}

// isTracing reports whether a type is a handler that makes spans of calls.
func isTracing(t reflect.Type) bool {
	return t.PkgPath() == otelgrpcPath || t.PkgPath() == pluginPath && slices.Contains(pluginTypes, t.Name()) || slices.Contains(ours, t)
}

// mentions reports whether a value is a handler that makes spans of calls, or holds one in its fields.
func mentions(v reflect.Value, depth int) bool {
	if depth > 6 || !v.IsValid() {
		return false
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return !v.IsNil() && mentions(v.Elem(), depth+1)
	case reflect.Slice:
		if v.Type().Elem() != reflect.TypeFor[stats.Handler]() {
			return false
		}
		for i := range v.Len() {
			if mentions(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Struct:
		if isTracing(v.Type()) {
			return true
		}
		for i := range v.NumField() {
			if holds(v.Field(i).Type()) && mentions(v.Field(i), depth+1) {
				return true
			}
		}
	}
	return false
}

// holds reports whether a field of a handler can be the handler that it wraps.
func holds(t reflect.Type) bool {
	handler := reflect.TypeFor[stats.Handler]()
	return t == handler || t.Implements(handler) || t.Kind() == reflect.Slice && t.Elem() == handler
}

// intercepts reports whether an interceptor, or one of several, is otelgrpc's.
func intercepts(v reflect.Value) bool {
	if !v.IsValid() {
		return false
	}
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			if intercepts(v.Index(i)) {
				return true
			}
		}
	case reflect.Func:
		f := runtime.FuncForPC(v.Pointer())
		if f == nil {
			return false
		}
		file, _ := f.FileLine(f.Entry()) // the closure may have been inlined into another package together with what made it
		return strings.HasPrefix(f.Name(), otelgrpcPath+".") || strings.Contains(file, "/google.golang.org/grpc/otelgrpc")
	}
	return false
}
