package logs

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/embedded"

	private "otelobj.private/go.opentelemetry.io/otel/log"
	"otelobj.private/go.opentelemetry.io/otel/log/noop"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
)

// forwardProvider is what the program is given.
type forwardProvider struct {
	embedded.LoggerProvider
	of *providerSides
}

// Logger implements log.LoggerProvider.
func (p *forwardProvider) Logger(name string, opts ...log.LoggerOption) log.Logger {
	p.of.Asked(name)
	return &forwardLogger{of: p.of, name: name, opts: opts}
}

// forwardLogger is a logger of the program's API.
type forwardLogger struct {
	embedded.Logger
	of   *providerSides
	name string
	opts []log.LoggerOption
	last atomic.Pointer[forwardTarget]
}

// forwardTarget is who works for a forwardLogger: theirs, or else ours.
type forwardTarget struct {
	state  *state
	theirs log.Logger
	ours   private.Logger
}

func (l *forwardLogger) target() *forwardTarget {
	now := l.of.Now()
	if last := l.last.Load(); last != nil && last.state == now {
		return last
	}
	made := &forwardTarget{state: now}
	switch {
	case now.First != nil:
		made.theirs = now.First.Logger(l.name, l.opts...)
	case now.Ours != nil:
		config := log.NewLoggerConfig(l.opts...)
		made.ours = now.Ours.Logger(l.name, private.WithInstrumentationVersion(config.InstrumentationVersion()), private.WithSchemaURL(config.SchemaURL()),
			private.WithInstrumentationAttributeSet(attrs.PrivateSet(config.InstrumentationAttributes())))
	default:
		made.ours = noop.Logger{}
	}
	l.last.Store(made)
	return made
}

// Emit implements log.Logger.
func (l *forwardLogger) Emit(ctx context.Context, record log.Record) {
	if target := l.target(); target.theirs != nil {
		target.theirs.Emit(ctx, record)
	} else {
		target.ours.Emit(ctx, privateRecord(record))
	}
}

// Enabled implements log.Logger.
func (l *forwardLogger) Enabled(ctx context.Context, param log.EnabledParameters) bool {
	target := l.target()
	if target.theirs != nil {
		return target.theirs.Enabled(ctx, param)
	}
	return target.ours.Enabled(ctx, private.EnabledParameters{Severity: private.Severity(severityOf(&param)), EventName: eventOf(&param)})
}
