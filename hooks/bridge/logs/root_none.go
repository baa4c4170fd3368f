//go:build !otelapi_log_root

package logs

import (
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/global"
)

func get() log.LoggerProvider { return global.GetLoggerProvider() }

func set(lp log.LoggerProvider) { global.SetLoggerProvider(lp) }
