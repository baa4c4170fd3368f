package logs

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"

	"github.com/otelobj/otelobj/hooks/active"
)

// Logger makes records of one scope, through OpenTelemetry's global provider.
type Logger struct{ log.Logger }

// New returns the logger of a scope. The provider may be set later.
func New(scope string) Logger { return Logger{otel.Logger(scope)} }

// IsOn reports whether anybody takes records.
func (l Logger) IsOn() bool { return l.Enabled(context.Background(), log.EnabledParameters{}) }

// Emit makes a record. Nothing that happens meanwhile makes another one, or reaches the caller.
func (l Logger) Emit(ctx context.Context, r log.Record) {
	ctx = Context(ctx)
	Guard(func() { l.Logger.Emit(ctx, r) })
}

// Context returns a context with the span that a record of ctx, which may be nil, belongs to.
func Context(ctx context.Context) context.Context {
	if ctx == nil {
		ctx = context.Background()
	}
	with := ctx
	if !guarded(func() { with = active.Complete(ctx) }) { // a nil pointer, say
		with = active.Complete(context.Background())
	}
	return with
}
