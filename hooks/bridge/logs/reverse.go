package logs

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/log"

	private "otelobj.private/go.opentelemetry.io/otel/log"
	"otelobj.private/go.opentelemetry.io/otel/log/embedded"
	"otelobj.private/go.opentelemetry.io/otel/log/noop"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
)

// reverseProvider is what the private API is given.
type reverseProvider struct {
	embedded.LoggerProvider
	of *providerSides
}

// Logger implements log.LoggerProvider.
func (p *reverseProvider) Logger(name string, opts ...private.LoggerOption) private.Logger {
	return &reverseLogger{of: p.of, name: name, opts: opts}
}

// Theirs returns the provider of the program's that does the work, nil if there is none. The flush asks for it.
func (p *reverseProvider) Theirs() any {
	if theirs := p.of.Now().Theirs; theirs != nil {
		return theirs
	}
	return nil
}

// reverseLogger is a logger of the private API.
type reverseLogger struct {
	embedded.Logger
	of   *providerSides
	name string
	opts []private.LoggerOption
	last atomic.Pointer[reverseTarget]
}

// reverseTarget is who works for a reverseLogger: theirs, or else ours.
type reverseTarget struct {
	state  *state
	theirs log.Logger
	ours   private.Logger
}

func (l *reverseLogger) target() *reverseTarget {
	now := l.of.Now()
	if last := l.last.Load(); last != nil && last.state == now {
		return last
	}
	made := &reverseTarget{state: now}
	switch {
	case now.Theirs != nil:
		config := private.NewLoggerConfig(l.opts...)
		opts := []log.LoggerOption{log.WithInstrumentationVersion(config.InstrumentationVersion()), log.WithSchemaURL(config.SchemaURL())}
		if set := config.InstrumentationAttributes(); set.Len() > 0 {
			opts = append(opts, log.WithInstrumentationAttributes(attrs.Program(set.ToSlice())...))
		}
		made.theirs = now.Theirs.Logger(l.name, opts...)
	case now.Ours != nil:
		made.ours = now.Ours.Logger(l.name, l.opts...)
	default:
		made.ours = noop.Logger{}
	}
	l.last.Store(made)
	return made
}

// Emit implements log.Logger.
func (l *reverseLogger) Emit(ctx context.Context, record private.Record) {
	if target := l.target(); target.theirs != nil {
		target.theirs.Emit(ctx, programRecord(record))
	} else {
		target.ours.Emit(ctx, record)
	}
}

// Enabled implements log.Logger.
func (l *reverseLogger) Enabled(ctx context.Context, param private.EnabledParameters) bool {
	target := l.target()
	if target.theirs == nil {
		return target.ours.Enabled(ctx, param)
	}
	var made log.EnabledParameters
	setSeverity(&made, log.Severity(param.Severity))
	setEvent(&made, param.EventName)
	return target.theirs.Enabled(ctx, made)
}
