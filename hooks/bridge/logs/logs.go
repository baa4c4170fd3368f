// Package logs bridges the global logger provider, from 0.7 of the program's log API on: before that loggers were asked otherwise whether they are enabled.
//
// Until the API's 0.22 package log/global has the global provider, and from 1.47 on the API's root.
package logs

import (
	"go.opentelemetry.io/otel/log"

	privateotel "otelobj.private/go.opentelemetry.io/otel"
	private "otelobj.private/go.opentelemetry.io/otel/log"

	"github.com/otelobj/otelobj/hooks/bridge/choice"
	"github.com/otelobj/otelobj/hooks/bridge/sides"
	"github.com/otelobj/otelobj/hooks/bridge/spans"
	"github.com/otelobj/otelobj/hooks/rt"
)

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetSkipCall(skip bool)
}

type (
	providerSides = sides.Providers[private.LoggerProvider, log.LoggerProvider]
	state         = sides.State[private.LoggerProvider, log.LoggerProvider]
)

// A program's init functions may run before ours, so this needs no initialisation.
var providers providerSides

func init() {
	if rt.Linked() {
		Connect()
	}
}

// Connect makes the private API's logger provider follow the program's, as package globals does for tracers. Records know their span by the context, so
// nothing is connected where contexts are not.
func Connect() {
	if !spans.Connect() {
		return
	}
	reverse := &reverseProvider{of: &providers}
	privateotel.RelayLoggerProvider(func(lp private.LoggerProvider) private.LoggerProvider {
		if _, again := lp.(*reverseProvider); lp != nil && !again {
			providers.SetOurs(lp)
			forwardLoggers()
		}
		return reverse
	})
}

func forwardLoggers() {
	now := get()
	switch {
	case isForward(now):
	case choice.IsDefault(now) || !follow(now): // the program may have set it before there was ours
		providers.DropTheirs()
		set(&forwardProvider{of: &providers})
	}
}

func isForward(lp log.LoggerProvider) bool {
	_, ok := lp.(*forwardProvider)
	return ok
}

// follow makes loggers follow a provider of the program's, unless ours wins.
func follow(lp log.LoggerProvider) bool {
	var made log.Logger
	wraps := false
	maker := func() any {
		wraps = providers.Wraps(func() { made = lp.Logger(sides.Scope) })
		return made
	}
	if !choice.Program("logs", "logger provider", lp, maker, providers.HasOurs()) {
		return false
	}
	if wraps {
		providers.SetWrapper(lp)
	} else {
		providers.SetTheirs(lp)
	}
	return true
}

// BeforeSetLoggerProvider runs before SetLoggerProvider(lp) of go.opentelemetry.io/otel/log/internal/global, or of go.opentelemetry.io/otel/internal/global.
func BeforeSetLoggerProvider(ictx HookContext, lp log.LoggerProvider) {
	switch {
	case choice.IsDefault(lp):
	case isForward(lp):
		providers.SetTheirs(nil)
	case !follow(lp):
		ictx.SetSkipCall(true)
	}
}
