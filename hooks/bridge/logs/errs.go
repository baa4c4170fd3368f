//go:build otelapi_log_errs

package logs

import "go.opentelemetry.io/otel/log"

func recordErr(r *log.Record) error { return r.Err() }

func setErr(r *log.Record, err error) { r.SetErr(err) }
