package span

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"unsafe"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
)

const (
	hooksPath = "github.com/otelobj/otelobj/hooks/"
	scope     = hooksPath + "span"
	// Version is the version of the instrumentation scope.
	Version = "0.1.0"
)

const (
	keyFunction = attribute.Key("code.function.name")
	keyFile     = attribute.Key("code.file.path")
	keyLine     = attribute.Key("code.line.number")
)

// kinds are the options of tracer.Start by trace.SpanKind, made once.
var kinds [trace.SpanKindConsumer + 1][]trace.SpanStartOption

// ready is false as long as functions of the program run before this package, and OpenTelemetry, are initialised.
var ready bool

func init() {
	for kind := range kinds {
		kinds[kind] = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKind(kind))}
	}
	goroot = findGoroot()
	ready = true
	_ = keepTypes
}

// open is a call that is under way, and the scope in which its span is active.
type open struct {
	span  trace.Span
	scope *rt.Scope
}

// before and after are called by thunks that pass on their own arguments. They get the config in place of the itab of a hook context.

// before runs at the entry of a function.
//
//go:norace
//go:nocheckptr
func before(c *config, call *rt.Call, args, _, _ unsafe.Pointer) {
	if !ready {
		return
	}
	given := c.context(args)
	ctx := current(given)
	parent := trace.SpanFromContext(ctx)
	if active.IsExcluded(parent) {
		return
	}
	ctx, span := tracerFor(parent).Start(ctx, c.name(args), kinds[c.Kind]...)
	if !span.SpanContext().IsValid() {
		return
	}
	call.SetData(&open{span, active.Enter(ctx, span)})
	if given != nil && isPlain(given) {
		*(*context.Context)(unsafe.Add(args, c.Context)) = ctx
	}
	if span.IsRecording() {
		attrs := make([]attribute.KeyValue, 0, 3+len(c.AtEntry))
		attrs = append(attrs, keyFunction.String(c.Function), keyFile.String(file(c.File)), keyLine.Int(c.Line))
		span.SetAttributes(collect(attrs, c.AtEntry, args, nil)...)
	}
}

// after runs when the function has returned, or was unwound.
func after(c *config, call *rt.Call, args, results, _ unsafe.Pointer) {
	o, ok := call.GetData().(*open)
	if !ok {
		return
	}
	o.scope.Leave()
	span := o.span
	defer span.End()
	if !span.IsRecording() {
		return
	}
	if value, goexit, unwound := call.Unwound(); unwound {
		recordUnwinding(span, value, goexit, call.PanicStack())
		return
	}
	if len(c.AtReturn) > 0 {
		span.SetAttributes(collect(make([]attribute.KeyValue, 0, len(c.AtReturn)), c.AtReturn, args, results)...)
	}
	for i := range c.Errors {
		if err, ok := c.Errors[i].err(args, results); ok {
			recordError(span, err)
			return
		}
	}
}

// context returns the function's Go context; nil if it has none, or one that must not be kept.
func (c *config) context(args unsafe.Pointer) context.Context {
	return goContext(args, c.HasContext, c.Context)
}

// goContext returns the parameter at an offset of the args area, if there is one.
//
//go:norace
//go:nocheckptr
func goContext(args unsafe.Pointer, has int, offset uintptr) context.Context {
	if has == 0 {
		return nil
	}
	ctx := *(*context.Context)(unsafe.Add(args, offset))
	if ctx == nil || onStack(ctx) {
		return nil
	}
	return ctx
}

// current returns a context with the span that is current where a function runs. given: its Go context, which may be nil.
func current(given context.Context) context.Context {
	if given == nil {
		given = context.Background()
	}
	return active.Context(given)
}

// isPlain reports whether a context may be replaced by one that wraps it. For others, such as the contexts of web frameworks, the
// function may check the type, and package context may look for AfterFunc.
func isPlain(ctx context.Context) bool {
	if _, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok {
		return false
	}
	t := reflect.TypeOf(ctx)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pkg := t.PkgPath()
	return pkg == "context" || strings.HasPrefix(pkg, hooksPath)
}

// name returns the name of the span.
func (c *config) name(args unsafe.Pointer) string {
	if len(c.Name) == 0 {
		return c.Title
	}
	return fill(c.Name, args, nil)
}

// fill returns a text with the values that stand in it.
func fill(parts []part, args, results unsafe.Pointer) string {
	var room [64]byte
	b := room[:0]
	for i := range parts {
		if p := &parts[i]; p.Value == nil {
			b = append(b, p.Text...)
		} else {
			b = p.Value.appendTo(b, args, results)
		}
	}
	return string(b)
}

// goroot is what the linker writes in place of rootName: the folder of the standard library's files, as in what FuncForPC returns.
var goroot string

const rootName = "$GOROOT"

func findGoroot() string {
	const probe = "/src/strings/strings.go"
	pc := reflect.ValueOf(strings.Index).Pointer()
	name, _ := runtime.FuncForPC(pc).FileLine(pc)
	if root, ok := strings.CutSuffix(name, probe); ok {
		return root
	}
	return rootName
}

// file returns the name of a source file as tracebacks have it.
func file(name string) string {
	if rest, ok := strings.CutPrefix(name, rootName); ok {
		return goroot + rest
	}
	return name
}

// collect appends the attributes whose values exist.
func collect(attrs []attribute.KeyValue, wanted []attr, args, results unsafe.Pointer) []attribute.KeyValue {
	for i := range wanted {
		a := &wanted[i]
		if v, ok := a.Value.read(args, results); ok {
			attrs = append(attrs, attribute.KeyValue{Key: attribute.Key(a.Key), Value: v})
		}
	}
	return attrs
}

var tracers active.Tracers

// tracerFor returns the tracer for a child of a span.
func tracerFor(parent trace.Span) trace.Tracer {
	return tracers.For(parent, otel.GetTracerProvider, func(tp trace.TracerProvider) trace.Tracer {
		return tp.Tracer(scope, trace.WithInstrumentationVersion(Version))
	})
}
