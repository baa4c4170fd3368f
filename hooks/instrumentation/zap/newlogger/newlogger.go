// Package newlogger has the hook for zap.New. It is apart from package zap, since there are programs with zap's cores and without its loggers.
package newlogger

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	hooks "github.com/otelobj/otelobj/hooks/instrumentation/zap"
)

// HookContext is what the hook needs of a call.
type HookContext interface {
	SetParam(idx int, val any)
}

// BeforeNew runs before zap.New(core, options...).
func BeforeNew(call HookContext, core zapcore.Core, _ []zap.Option) {
	if made := hooks.Around(core); made != nil {
		call.SetParam(0, made)
	}
}
