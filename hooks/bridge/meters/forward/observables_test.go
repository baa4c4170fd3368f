package forward

import (
	"context"
	"runtime"
	"testing"

	api "go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/bridge/meters/sides"
)

// An observable instrument that nobody holds any more costs nothing, unless it has callbacks of its own.
func TestObservablesThatNobodyHolds(t *testing.T) {
	var of sides.Providers
	m := New(&of).Meter("m")
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
	}
	const want = 4 // the callback follows as well
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
