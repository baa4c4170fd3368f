//go:build !otelapi_log_setter

package logs

import "go.opentelemetry.io/otel/log"

func severityOf(param *log.EnabledParameters) log.Severity { return param.Severity }

func setSeverity(param *log.EnabledParameters, severity log.Severity) { param.Severity = severity }
