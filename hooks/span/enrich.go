package span

import (
	"context"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/request"
)

// late is what a call adds when it returns.
type late struct {
	span   trace.Span     // nil: none is recorded
	server request.Server // nil: no request, or its route is not named by a result
}

// enter and leave are called like before and after, for rules that say enrich.

// enter runs at the entry of a function.
//
//go:norace
//go:nocheckptr
func enter(c *enrichment, call *rt.Call, args, _, _ unsafe.Pointer) {
	if !ready {
		return
	}
	given := goContext(args, c.HasContext, c.Context)
	span := trace.SpanFromContext(current(given))
	if !span.IsRecording() || active.IsExcluded(span) { // metrics of what is excluded have the route
		span = nil
	} else if len(c.AtEntry) > 0 {
		span.SetAttributes(collect(make([]attribute.KeyValue, 0, len(c.AtEntry)), c.AtEntry, args, nil)...)
	}
	var server request.Server
	if len(c.Route) > 0 {
		server = serverOf(given)
	}
	if server != nil && c.Late == 0 {
		server.SetRoute(&request.Route{Pattern: fill(c.Route, args, nil)})
		server = nil
	}
	if len(c.AtReturn) == 0 {
		span = nil
	}
	if span != nil || server != nil {
		call.SetData(&late{span, server})
	}
}

// leave runs when the function has returned, or was unwound: then it has no results.
func leave(c *enrichment, call *rt.Call, args, results, _ unsafe.Pointer) {
	l, ok := call.GetData().(*late)
	if !ok {
		return
	}
	if _, _, unwound := call.Unwound(); unwound {
		return
	}
	if l.span != nil {
		l.span.SetAttributes(collect(make([]attribute.KeyValue, 0, len(c.AtReturn)), c.AtReturn, args, results)...)
	}
	if l.server != nil {
		l.server.SetRoute(&request.Route{Pattern: fill(c.Route, args, results)})
	}
}

// serverOf returns the request that a function works for: that of its Go context, else that of the goroutine.
func serverOf(given context.Context) request.Server {
	if given != nil {
		if s := request.Of(given); s != nil {
			return s
		}
	}
	s, _ := active.Value(request.Key{}).(request.Server)
	return s
}
