//go:build !otelobj_program

package sdk

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Signal is one that another package sets up, since few programs need it: logs (hooks/logs). What holds for spans and metrics holds for it:
// variables, what is said of failures, what the end of the program waits for.
type Signal struct{ name string }

// described is the resource of all signals, nil until one is set up.
var described *resource.Resource

// describe returns the resource.
func describe(ctx context.Context) *resource.Resource {
	if described == nil {
		described = newResource(ctx)
	}
	return described
}

// Add sets up a signal. name: as variables have it, such as LOGS. create returns what is flushed when the program ends, nil for nothing; it is not called
// where nothing is to be exported. Add is called by an init function.
func Add(name string, create func(ctx context.Context, s Signal, res *resource.Resource) (Flusher, error)) {
	if !rt.Linked() {
		return
	}
	rt.Suppress(func() {
		if environ.Disabled() || quiet() {
			return
		}
		ctx := context.Background()
		f, err := create(ctx, Signal{name}, describe(ctx))
		if err != nil {
			report(blame(name, err))
		}
		if err != nil || f == nil {
			say(levelInfo, "%s: none", lower(name))
			return
		}
		p := pipeline{f, name}
		flushLater(func() flusher { return p })
		say(levelInfo, "%s: %s", lower(name), destination(name))
	})
}

// Flusher is what Add takes.
type Flusher = flusher

// Exporter is the name of the exporter that is asked for, "" for the default.
func (s Signal) Exporter() string { return environ.Get("OTEL_" + s.name + "_EXPORTER") }

// Protocol is that of OTLP by which the signal goes. ok: it goes by OTLP.
func (s Signal) Protocol() (protocol string, ok bool) {
	return pipeline{signal: s.name}.protocol(), isOTLP(s.name)
}

// IsLocal reports whether it goes to where the specification has a collector by default.
func (s Signal) IsLocal() bool { return isLocal(s.name) }

// Note takes in how an export of n records has ended. The error is not to be reported again.
func (s Signal) Note(n int, err error) { exports.note(s.name, n, err) }

// NotLinked says that the exporter which is asked for is not in this program. others: exporters that are, beside those of OTLP.
func (s Signal) NotLinked(others ...string) error { return notLinked(s.name, slices.Clone(others)) }

// Bound bounds what an exporter reads, if it sends by HTTP.
func (Signal) Bound(exporter any) { boundAnswers(exporter) }

// Tell says something to those who have asked for telemetry, or get it.
func (Signal) Tell(format string, args ...any) { tell(format, args...) }
