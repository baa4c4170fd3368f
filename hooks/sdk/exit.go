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

// patience is how much longer than for a flush the others wait for the program to end.
const patience = time.Second

// atExit exports what is there before the program ends. The goroutine that comes first decides how it ends: in the plain program
// it would have ended by now, so others wait. What the first one's own panic values and deferred calls do meanwhile is not
// another end. If the program goes on all the same (package testing makes a panic of os.Exit(0)), the next one is the first again.
func atExit() {
	me := rt.GoroutineID()
	limit := timeout()
	if !exiting.CompareAndSwap(0, me) {
		if exiting.Load() == me {
			return
		}
		time.Sleep(limit + patience)
		exiting.Store(me)
	}
	Flush(limit)
}
