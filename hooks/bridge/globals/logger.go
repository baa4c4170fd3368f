//go:build otelapi_logger

package globals

import (
	"github.com/go-logr/logr"

	privateotel "otelobj.private/go.opentelemetry.io/otel"

	privatelogr "otelobj.private/github.com/go-logr/logr"
)

// BeforeSetLogger runs before go.opentelemetry.io/otel/internal/global.SetLogger(l): the private copy writes there, too.
func BeforeSetLogger(_ HookContext, l logr.Logger) { privateotel.SetLogger(privatelogr.New(sink{l})) }

// sink is a private LogSink over a logger of the program's.
type sink struct{ logr.Logger }

// Init implements privatelogr.LogSink.
func (sink) Init(privatelogr.RuntimeInfo) {}

// Enabled implements privatelogr.LogSink.
func (s sink) Enabled(level int) bool { return s.V(level).Enabled() }

// Info implements privatelogr.LogSink.
func (s sink) Info(level int, msg string, keysAndValues ...any) {
	s.V(level).Info(msg, keysAndValues...)
}

// Error implements privatelogr.LogSink.
func (s sink) Error(err error, msg string, keysAndValues ...any) {
	s.Logger.Error(err, msg, keysAndValues...)
}

// WithValues implements privatelogr.LogSink.
func (s sink) WithValues(keysAndValues ...any) privatelogr.LogSink {
	return sink{s.Logger.WithValues(keysAndValues...)}
}

// WithName implements privatelogr.LogSink.
func (s sink) WithName(name string) privatelogr.LogSink { return sink{s.Logger.WithName(name)} }
