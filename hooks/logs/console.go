//go:build otelobj_chosen && otelobj_console && !otelobj_program

package logs

import (
	"go.opentelemetry.io/otel/exporters/stdout/stdoutlog"
	"go.opentelemetry.io/otel/sdk/log"
)

var _ = addConsole()

func addConsole() bool {
	exporters["console"] = func() (log.Exporter, error) { return stdoutlog.New() }
	return true
}
