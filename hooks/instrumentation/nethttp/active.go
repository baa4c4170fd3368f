package nethttp

import (
	"context"
	"net/http"
	"sync"

	"go.opentelemetry.io/otel/metric"
)

// activeRequest is one of the requests that http.server.active_requests counts: it is taken off where it was added, with the attributes of then,
// whatever the program does meanwhile to its provider or the request.
type activeRequest struct {
	counter metric.Int64UpDownCounter
	opts    []metric.AddOption
}

// follower is an instrument of package sdk, which does its work with that of the global provider of the moment.
type follower interface {
	Current() metric.Int64UpDownCounter
}

func begin(ctx context.Context, req *http.Request) activeRequest {
	a := activeRequest{meters().serverActive, activeOptions(standardMethod(req.Method), req.TLS != nil)}
	if f, ok := a.counter.(follower); ok {
		a.counter = f.Current()
	}
	a.counter.Add(ctx, 1, a.opts...)
	return a
}

func (a activeRequest) end(ctx context.Context) {
	if a.counter != nil {
		a.counter.Add(ctx, -1, a.opts...)
	}
}

type activeKey struct {
	method string // a standard one or methodOther: there are few
	https  bool
}

var activeSets sync.Map // activeKey to []metric.AddOption

// activeOptions returns the attributes that the semantic conventions want. Address and port of the server are left out, as they
// advise: they come from the client's Host header.
func activeOptions(method string, https bool) []metric.AddOption {
	key := activeKey{method, https}
	v, found := activeSets.Load(key)
	if !found {
		a := getAttrs()
		a.str(keyRequestMethod, method)
		a.str(keyURLScheme, scheme(https))
		v, _ = activeSets.LoadOrStore(key, []metric.AddOption{metric.WithAttributeSet(a.set())})
	}
	return v.([]metric.AddOption)
}
