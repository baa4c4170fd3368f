// Package globals bridges the global providers, the propagator, the error handler and the logger of the program's API. Meters have their own package.
//
// What the program sets is seen by hooks on its setters, not by racing for them: the API binds what was made early to what is set first, for good. As
// long as the program has set nothing, its globals are ours, but what they make follows the program's provider as soon as there is one.
package globals

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	privateotel "otelobj.private/go.opentelemetry.io/otel"
	privateprop "otelobj.private/go.opentelemetry.io/otel/propagation"
	private "otelobj.private/go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/bridge/choice"
	"github.com/otelobj/otelobj/hooks/bridge/sides"
	"github.com/otelobj/otelobj/hooks/bridge/spans"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/lines"
)

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetSkipCall(skip bool)
}

// A program's init functions may run before ours, so these need no initialisation.
var (
	tracers spans.Providers
	texts   propagators
)

func init() {
	if rt.Linked() {
		Connect()
	}
}

// Connect makes the private API's globals follow the program's. The program's become ours when something is set in the private API: before that, and
// where nothing is exported, they stay as they are.
func Connect() {
	if !spans.Connect() {
		lines.Write(lines.Warn, "the program's OpenTelemetry API is not laid out as its releases are, so it is not bridged: spans that the program makes with it "+
			"are its own, apart from those of instrumentations. Is it a fork?")
		return
	}
	privateotel.SetErrorHandler(&errorHandler{})
	reverse := tracers.Reverse()
	privateotel.RelayTracerProvider(func(tp private.TracerProvider) private.TracerProvider {
		if tp != nil && !spans.IsReverse(tp) {
			tracers.SetOurs(tp)
			forwardTracers()
		}
		return reverse
	})
	privateotel.RelayTextMapPropagator(func(p privateprop.TextMapPropagator) privateprop.TextMapPropagator {
		if _, again := p.(reversePropagator); p != nil && !again {
			texts.SetOurs(p)
			forwardPropagator()
		}
		return reversePropagator{&texts}
	})
}

func forwardTracers() {
	now := otel.GetTracerProvider()
	switch {
	case spans.IsForward(now):
	case choice.IsDefault(now) || !follow(now): // the program may have set it before there was ours
		tracers.DropTheirs()
		otel.SetTracerProvider(tracers.Forward())
	}
}

func forwardPropagator() {
	now := otel.GetTextMapPropagator()
	if _, ours := now.(forwardPropagators); ours {
		return
	}
	if choice.IsDefault(now) || !choice.Program("propagation", "propagator", now, nil, true) {
		texts.DropTheirs()
		otel.SetTextMapPropagator(forwardPropagators{&texts})
	} else {
		texts.SetTheirs(now)
	}
}

// follow makes tracers follow a provider of the program's, unless ours wins.
func follow(tp trace.TracerProvider) bool {
	var made trace.Tracer
	wraps := false
	maker := func() any {
		wraps = tracers.Wraps(func() { made = tp.Tracer(sides.Scope) })
		return made
	}
	if !choice.Program("traces", "tracer provider", tp, maker, tracers.HasOurs()) {
		return false
	}
	if wraps {
		tracers.SetWrapper(tp)
	} else {
		tracers.SetTheirs(tp)
	}
	return true
}

// BeforeSetTracerProvider runs before go.opentelemetry.io/otel/internal/global.SetTracerProvider(tp).
func BeforeSetTracerProvider(ictx HookContext, tp trace.TracerProvider) {
	switch {
	case choice.IsDefault(tp):
	case spans.IsForward(tp):
		tracers.SetTheirs(nil)
	case !follow(tp):
		ictx.SetSkipCall(true)
	}
}

// BeforeSetTextMapPropagator runs before go.opentelemetry.io/otel/internal/global.SetTextMapPropagator(p).
func BeforeSetTextMapPropagator(ictx HookContext, p propagation.TextMapPropagator) {
	if choice.IsDefault(p) {
		return
	}
	if _, ours := p.(forwardPropagators); ours {
		texts.SetTheirs(nil)
	} else if choice.Program("propagation", "propagator", p, nil, texts.HasOurs()) {
		texts.SetTheirs(p)
	} else {
		ictx.SetSkipCall(true)
	}
}
