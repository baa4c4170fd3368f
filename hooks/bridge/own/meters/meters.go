// Package meters has the hook on a metric SDK of the program's own: its providers are flushed when the program ends.
package meters

import (
	"weak"

	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otelobj/otelobj/hooks/rt/theirs"
)

// HookContext is what the hook of this package needs of the call it hooks.
type HookContext interface {
	SetData(data any)
}

// AfterNewMeterProvider runs when go.opentelemetry.io/otel/sdk/metric.NewMeterProvider has returned.
func AfterNewMeterProvider(_ HookContext, p *sdk.MeterProvider) {
	if p == nil {
		return
	}
	made := weak.Make(p)
	theirs.AddProvider(func() theirs.Flusher {
		if p := made.Value(); p != nil {
			return p
		}
		return nil
	})
}
