package nethttp

import (
	"context"
	"net/http"

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
	a := activeRequest{meters().serverActive, activeKey{standardMethod(req.Method), req.TLS != nil}.options()}
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
