package nethttp

import (
	"context"
	"net/http"
	"sync"

	"go.opentelemetry.io/otel/metric"
)

// activeRequest is one of the requests that http.server.active_requests counts. It is subtracted from the instrument that it was added to, with the
// same attributes, even if the program has changed its provider or the request since.
type activeRequest struct {
	counter metric.Int64UpDownCounter
	opts    []metric.AddOption
}

// follower is an instrument of package sdk, which passes everything to that of the current global provider.
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
	method string // a standard one or methodOther, so there are few
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
