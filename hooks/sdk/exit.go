package sdk

import (
	"sync/atomic"
	"time"

	"github.com/otelobj/otelobj/hooks/rt"
)

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetData(data any)
	GetData() any
	Unwound() (panicValue any, goexit, ok bool)
}

// BeforeExit runs before os.Exit, which ends the program on the spot.
func BeforeExit(_ HookContext, _ int) { atExit() }

// AfterMain runs when main.main has returned, or was unwound. runtime.Goexit in it ends the goroutine, not the program.
func AfterMain(ictx HookContext) {
	if _, goexit, _ := ictx.Unwound(); !goexit {
		atExit()
	}
}

// exiting is the ID of the goroutine that ends the program, 0 as long as there is none.
var exiting atomic.Uint64

const (
	patience = time.Second           // how much longer than for a flush the others wait for the program to end
	moment   = 10 * time.Millisecond // how often they look whether it goes on
)

// atExit exports what is there before the program ends.
func atExit() { atLast(openSpans.end) }

// atLast does that. The goroutine that comes first decides how the program ends: in the plain program it would have ended by now, so others
// wait. What the first one's own panic values and deferred calls do meanwhile is not another end: it reports whether this is one. If the
// program goes on all the same (package testing makes a panic of os.Exit(0)), the next one is the first again.
func atLast(open func()) bool {
	me := rt.GoroutineID()
	if me != 0 && exiting.Load() == me {
		return false
	}
	limit := timeout()
	for end := time.Now().Add(limit + patience); rt.Dying() || !exiting.CompareAndSwap(0, me); time.Sleep(moment) {
		if time.Now().After(end) {
			exiting.Store(me)
			break
		}
	}
	sayIfUnset()
	flush(limit, open)
	return true
}

// goesOn says that the goroutine which was about to end the program has not done it.
func goesOn() { exiting.CompareAndSwap(rt.GoroutineID(), 0) }
