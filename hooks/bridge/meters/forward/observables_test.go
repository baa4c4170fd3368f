package forward

import (
	"context"
	"runtime"
	"testing"

	api "go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/bridge/meters/sides"
)

// An observable instrument that nobody holds any more costs nothing, unless it is one of the first of its name
// that have callbacks of their own.
func TestObservablesThatNobodyHolds(t *testing.T) {
	var of sides.Providers
	p := New(&of)
	m := p.Meter("m")
	held, _ := m.Int64ObservableGauge("held")
	_, _ = m.Int64ObservableGauge("calls", api.WithInt64Callback(func(context.Context, api.Int64Observer) error { return nil }))
	registered, _ := m.Int64ObservableGauge("registered")
	r, err := m.RegisterCallback(func(context.Context, api.Observer) error { return nil }, registered)
	if err != nil {
		t.Fatal(err)
	}
	registered = nil
	for range 100 {
		_, _ = m.Int64ObservableGauge("dropped")
		_, _ = New(&of).Meter("other").Int64ObservableGauge("dropped")
		_, _ = p.Meter("m").Int64ObservableGauge("Calls", api.WithInt64Callback(func(context.Context, api.Int64Observer) error { return nil }))
	}
	const want = 3 + maxSame // held, registered and the callback for it
	for range 1000 {
		if of.Followers() == want {
			break
		}
		runtime.GC()
	}
	for range 10 {
		runtime.GC()
	}
	if n := of.Followers(); n != want {
		t.Errorf("%d followers", n)
	}
	runtime.KeepAlive(held)
	runtime.KeepAlive(r)
}
