// Package requesttest lets hooks of routers be tested without an instrumented server.
package requesttest

import (
	"context"
	"net/http"
	"net/http/httptest"

	"github.com/otelobj/otelobj/hooks/rt/request"
)

// Fake is a server that remembers what it has been told. It is for one goroutine.
type Fake struct {
	Found       *request.Route
	Errors      []error
	Description string
	StoodBack   bool
}

var _ request.Server = (*Fake)(nil)

// New returns a server and a request to it. target is as in httptest.NewRequest.
func New(method, target string) (*Fake, *http.Request) {
	f := &Fake{}
	r := httptest.NewRequest(method, target, nil)
	return f, r.WithContext(f.Context(context.Background()))
}

// Context returns ctx with the server.
func (f *Fake) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, request.Key{}, request.Server(f))
}

// Pattern returns what was found last, "-" if nothing was yet.
func (f *Fake) Pattern() string {
	if f.Found == nil {
		return "-"
	}
	return f.Found.Pattern
}

// Route returns f.Found.
func (f *Fake) Route() *request.Route { return f.Found }

// SetRoute sets f.Found.
func (f *Fake) SetRoute(found *request.Route) { f.Found = found }

// ReplaceRoute sets f.Found if it is old.
func (f *Fake) ReplaceRoute(old, found *request.Route) {
	if f.Found == old {
		f.Found = found
	}
}

// Failed adds to f.Errors, each time that it is called.
func (f *Fake) Failed(err error) { f.Errors = append(f.Errors, err) }

// SetError sets f.Description.
func (f *Fake) SetError(description string) { f.Description = description }

// StandBack sets f.StoodBack and returns a context without the server.
func (f *Fake) StandBack(ctx context.Context) (context.Context, bool) {
	f.StoodBack = true
	return context.WithValue(ctx, request.Key{}, nil), true
}
