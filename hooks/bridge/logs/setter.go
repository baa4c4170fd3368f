//go:build otelapi_log_setter

package logs

import "go.opentelemetry.io/otel/log"

func severityOf(param *log.EnabledParameters) log.Severity {
	severity, _ := param.Severity()
	return severity
}

func setSeverity(param *log.EnabledParameters, severity log.Severity) {
	if severity != log.SeverityUndefined {
		param.SetSeverity(severity)
	}
}
