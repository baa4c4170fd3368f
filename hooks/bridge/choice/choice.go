// Package choice decides who wins where the program sets a provider of its own, and says so.
package choice

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	privateotel "otelobj.private/go.opentelemetry.io/otel"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
	"github.com/otelobj/otelobj/hooks/rt/lines"
)

const variable = "OTELOBJ_PROVIDER"

// What the variable may say.
const (
	program    = "program"     // the program's own provider wins, also one that does nothing
	unlessNoop = "unless-noop" // it wins unless it does nothing
	otelobj    = "otelobj"     // it is never set
)

// builtAlone is what a program was built with that has no SDK of otelobj's; alone: this one was.
const builtAlone = "OTELOBJ_SDK=program"

// setting reads the variable; known is false if it has none of the values.
func setting() (value string, known bool) {
	switch v := strings.ToLower(strings.TrimSpace(environ.Get(variable))); v {
	case program, unlessNoop, otelobj:
		return v, true
	case "":
		return program, true
	}
	return program, false
}

var said sync.Map // texts that were written

func once(text string, write func()) {
	if _, again := said.LoadOrStore(text, true); !again {
		write()
	}
}

func wasSaid(text string) bool {
	_, is := said.Load(text)
	return is
}

// Program reports whether what the program is about to set shall be set, and says what was found. signal: what it is for, such as traces. what: the
// value, such as a tracer provider. maker: makes a tracer or a meter of it; nil if there is no telling whether it does nothing. It is called only if
// that matters, since the program may be inside a call of its provider. ours: something of otelobj's is there, which would be in force instead. Without it the
// program's wins, whatever the variable says.
func Program(signal, what string, value any, maker func() any, ours bool) bool {
	if !ours && (!alone || rt.IsTest() || environ.Disabled()) {
		return true
	}
	wins, known := setting()
	because := variable + "=" + wins
	if !known && lines.Are(lines.Error) {
		once(variable, func() {
			privateotel.Handle(fmt.Errorf("otelobj: %s=%q: not a choice: %s, %s or %s", variable, environ.Get(variable), program, unlessNoop, otelobj))
		})
	}
	if !ours {
		if known && wins != program && lines.Are(lines.Error) {
			once(variable, func() {
				privateotel.Handle(fmt.Errorf("otelobj: %s=%s: there is no provider of otelobj's in this program: it was built with %s", variable, wins, builtAlone))
			})
		}
		wins, because = program, builtAlone
	}
	noop := sync.OnceValue(func() bool { return isNoop(value) || maker != nil && makesNoop(maker) })
	if wins == otelobj || wins == unlessNoop && noop() {
		once(signal+what, func() {
			lines.Write(lines.Info, "%s: the program has set a %s of its own (%T), which is not used: %s", signal, what, value, because)
		})
		return false
	}
	info := lines.Are(lines.Info) && !wasSaid(signal+what)
	warn := maker != nil && lines.Are(lines.Warn) && !wasSaid(signal+what+"noop") && lines.Asked()
	switch {
	case !info && !warn:
	case !noop():
		once(signal+what, func() {
			lines.Write(lines.Info, "%s: the program has set a %s of its own (%T), which instrumentations use from now on: %s", signal, what, value, because)
		})
	case warn:
		once(signal+what+"noop", func() {
			remedy := ""
			if ours {
				remedy = fmt.Sprintf(", or %s=%s keeps otelobj's", variable, unlessNoop)
			}
			privateotel.Handle(fmt.Errorf("otelobj: %s: the program has set a %s that does nothing: there are no %s unless it sets another one%s", signal, what, produces[signal], remedy))
		})
	}
	return true
}

// produces says what users miss.
var produces = map[string]string{"traces": "spans", "metrics": "metrics of instrumentations", "logs": "log records of instrumentations"}

// IsNil reports whether a provider is nil, or a nil pointer: the program may set one, as long as it does not use it.
func IsNil(provider any) bool {
	v := reflect.ValueOf(provider)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// IsDefault reports whether a global value is the one that the API begins with, or none.
func IsDefault(global any) bool {
	if IsNil(global) {
		return true
	}
	t := reflect.TypeOf(global)
	if t.Kind() != reflect.Pointer {
		return false
	}
	path := t.Elem().PkgPath()
	return path == "go.opentelemetry.io/otel/internal/global" || path == "go.opentelemetry.io/otel/log/internal/global"
}

// makesNoop reports whether a provider makes what does nothing. One that panics, because the program has not finished it yet, does something.
func makesNoop(maker func() any) (noop bool) {
	defer func() {
		if recover() != nil {
			noop = false
		}
	}()
	return isNoop(maker())
}

// isNoop reports whether a provider, a tracer, a meter or a logger is one of the API's that do nothing: in packages trace/noop, metric/noop and log/noop
// and, in older versions, in package trace itself. Providers that wrap such a one hand out the same.
func isNoop(v any) bool {
	t := reflect.TypeOf(v)
	if t == nil {
		return false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	path, _ := strings.CutPrefix(t.PkgPath(), "go.opentelemetry.io/otel/")
	return path == "trace/noop" || path == "metric/noop" || path == "log/noop" || path == "trace" && strings.HasPrefix(strings.ToLower(t.Name()), "noop")
}
