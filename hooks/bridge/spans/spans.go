// Package spans bridges contexts, spans and tracers.
package spans

import (
	"sync"

	"github.com/otelobj/otelobj/hooks/rt"

	private "otelobj.private/go.opentelemetry.io/otel/trace"
)

func init() {
	if rt.Linked() {
		Connect()
	}
}

// Hooks may run before the init functions of this package, so this needs no initialisation.
var (
	connect   sync.Once
	connected bool
)

// Connect makes the private API answer for contexts by what the program's key says. It reports whether the program's API has the layouts that
// the bridge relies on; if it does not, nothing is bridged.
func Connect() bool {
	connect.Do(func() {
		spanKey = askForKey()
		if connected = usable() && spanKey != nil; connected {
			private.SetContextBridge(&private.ContextBridge{Set: set, Get: get, SpanContext: spanContext})
		}
	})
	return connected
}
