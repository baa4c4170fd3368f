// Package meters bridges the global meter provider, from 1.16 on: before that the metric API was another one with each release.
package meters

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	privateotel "otelobj.private/go.opentelemetry.io/otel"
	private "otelobj.private/go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/bridge/choice"
	"github.com/otelobj/otelobj/hooks/bridge/meters/forward"
	"github.com/otelobj/otelobj/hooks/bridge/meters/reverse"
	metersides "github.com/otelobj/otelobj/hooks/bridge/meters/sides"
	"github.com/otelobj/otelobj/hooks/bridge/sides"
	"github.com/otelobj/otelobj/hooks/rt"
)

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetSkipCall(skip bool)
}

// A program's init functions may run before ours, so this needs no initialisation.
var providers metersides.Providers

func init() {
	if rt.Linked() {
		Connect()
	}
}

// Connect makes the private API's meter provider follow the program's, as package globals does for tracers.
func Connect() {
	made := reverse.New(&providers)
	privateotel.RelayMeterProvider(func(mp private.MeterProvider) private.MeterProvider {
		if mp != nil && !reverse.Is(mp) {
			providers.SetOurs(mp)
			forwardMeters()
		}
		return made
	})
}

func forwardMeters() {
	now := otel.GetMeterProvider()
	switch {
	case forward.Is(now):
	case choice.IsDefault(now) || !follow(now): // the program may have set it before there was ours
		providers.DropTheirs()
		otel.SetMeterProvider(forward.New(&providers))
	}
}

// follow makes meters follow a provider of the program's, unless ours wins.
func follow(mp metric.MeterProvider) bool {
	var made metric.Meter
	wraps := false
	maker := func() any {
		wraps = providers.Wraps(func() { made = mp.Meter(sides.Scope) })
		return made
	}
	if !choice.Program("metrics", "meter provider", mp, maker, providers.HasOurs()) {
		return false
	}
	if wraps {
		providers.SetWrapper(mp)
	} else {
		providers.SetTheirs(mp)
	}
	return true
}

// BeforeSetMeterProvider runs before go.opentelemetry.io/otel/internal/global.SetMeterProvider(mp).
func BeforeSetMeterProvider(ictx HookContext, mp metric.MeterProvider) {
	switch {
	case choice.IsDefault(mp):
	case forward.Is(mp):
		providers.SetTheirs(nil)
	case !follow(mp):
		ictx.SetSkipCall(true)
	}
}
