//go:build otelapi_log_events

package logs

import "go.opentelemetry.io/otel/log"

func eventName(r *log.Record) string { return r.EventName() }

func setEventName(r *log.Record, name string) { r.SetEventName(name) }
