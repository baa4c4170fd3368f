//go:build otelapi_log_root

package logs

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"
)

func get() log.LoggerProvider { return otel.GetLoggerProvider() }

func set(lp log.LoggerProvider) { otel.SetLoggerProvider(lp) }
