// Package meters has the hook on the program's own metrics SDK, compiled against that SDK.
package meters

import (
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otelobj/otelobj/hooks/bridge/own/flush"
)

// AfterNewMeterProvider runs when go.opentelemetry.io/otel/sdk/metric.NewMeterProvider has returned. Its first parameter is not used.
func AfterNewMeterProvider(_ interface{ GetData() any }, p *sdk.MeterProvider) {
	if p != nil {
		flush.AtExit(p)
	}
}
