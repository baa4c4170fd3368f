// Package meters bridges the global meter provider, from 1.16 on: before that the metric API was another one with each release.
package meters

import (
	"reflect"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	privateotel "otelobj.private/go.opentelemetry.io/otel"
	private "otelobj.private/go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/bridge/choice"
	"github.com/otelobj/otelobj/hooks/bridge/meters/forward"
	"github.com/otelobj/otelobj/hooks/bridge/meters/reverse"
	"github.com/otelobj/otelobj/hooks/bridge/meters/sides"
	"github.com/otelobj/otelobj/hooks/rt"
)

// scope is the name of the meter that shows whether a provider does nothing.
const scope = "github.com/otelobj/otelobj/hooks/bridge"

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetSkipCall(skip bool)
}

// A program's init functions may run before ours, so this needs no initialisation.
var providers sides.Providers

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
	case forward.Is(now) || providers.Now().Theirs != nil:
	case isDefault(now) || !program(now):
		otel.SetMeterProvider(forward.New(&providers))
	default:
		providers.SetTheirs(now)
	}
}

// isDefault reports whether the global value is the one that the API begins with.
func isDefault(global any) bool {
	t := reflect.TypeOf(global)
	return t.Kind() == reflect.Pointer && t.Elem().PkgPath() == "go.opentelemetry.io/otel/internal/global"
}

func program(mp metric.MeterProvider) bool {
	return choice.Program("metrics", "meter provider", mp, mp.Meter(scope), providers.Now().Ours != nil)
}

// BeforeSetMeterProvider runs before go.opentelemetry.io/otel/internal/global.SetMeterProvider(mp).
func BeforeSetMeterProvider(ictx HookContext, mp metric.MeterProvider) {
	switch {
	case choice.IsNil(mp) || isDefault(mp):
	case forward.Is(mp):
		providers.SetTheirs(nil)
	case program(mp):
		providers.SetTheirs(mp)
	default:
		ictx.SetSkipCall(true)
	}
}
