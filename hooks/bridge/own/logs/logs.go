// Package logs has the hook on the program's own SDK for logs, compiled against that SDK.
package logs

import (
	sdk "go.opentelemetry.io/otel/sdk/log"

	"github.com/otelobj/otelobj/hooks/bridge/own/flush"
)

// AfterNewLoggerProvider runs when go.opentelemetry.io/otel/sdk/log.NewLoggerProvider has returned. Its first parameter is not used.
func AfterNewLoggerProvider(_ interface{ GetData() any }, p *sdk.LoggerProvider) {
	if p != nil {
		flush.AtExit(p)
	}
}
