//go:build !otelapi_log_errs

package logs

import (
	"fmt"

	"go.opentelemetry.io/otel/log"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
)

// recordErr returns none: before 0.18 records have no error.
func recordErr(*log.Record) error { return nil }

// setErr says what SDKs make of an error, unless the record has it.
func setErr(r *log.Record, err error) {
	missing := map[string]string{"exception.message": err.Error(), "exception.type": fmt.Sprintf("%T", err)}
	r.WalkAttributes(func(kv keyValue) bool {
		delete(missing, string(kv.Key))
		return true
	})
	for key, text := range missing {
		if text != "" {
			r.AddAttributes(programKeyValue(privateattr.String(key, text)))
		}
	}
}
