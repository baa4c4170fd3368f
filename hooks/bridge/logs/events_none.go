//go:build !otelapi_log_events

package logs

import (
	"go.opentelemetry.io/otel/log"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
)

// eventName returns none: before 0.11 records are no events.
func eventName(*log.Record) string { return "" }

// setEventName uses the attribute that events had then (semantic conventions 1.30 and older).
func setEventName(r *log.Record, name string) {
	r.AddAttributes(programKeyValue(privateattr.String("event.name", name)))
}
