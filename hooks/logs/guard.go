package logs

import (
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/otel"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// told says that a panic was reported: one that each record of a program's meets is not to fill its error output.
var told atomic.Bool

// Guard runs f under rt.Suppress, and reports whether it has returned. Records are made in the midst of the program's code, and of values whose methods may
// panic: the program's logger copes with that, so a panic ends here.
func Guard(f func()) (done bool) {
	rt.Suppress(func() { done = guarded(f) })
	return done
}

func guarded(f func()) (done bool) {
	defer func() {
		if p := recover(); p != nil && told.CompareAndSwap(false, true) {
			rt.Suppress(func() { report(p) })
		}
	}()
	f()
	return true
}

// report hands on the value of a panic. The program may have set an error handler that panics, too.
func report(p any) {
	defer func() { _ = recover() }()
	otel.Handle(fmt.Errorf("otelobj: a log record could not be made as it is: panic: %s (said once)", sanitize.Message(fmt.Sprint(p))))
}
