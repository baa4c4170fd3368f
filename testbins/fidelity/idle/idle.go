// Package idle has hooks that do nothing: what changes with them in the program is otelobj's doing.
// With FIDELITY_SHOW set, those of stopHere print their callers.
package idle

import (
	"fmt"
	"os"
	"runtime"
)

// Context is what the hooks are given.
type Context interface{ GetFuncName() string }

func BeforeWhere(ictx Context, depth int)                            {}
func AfterWhere(ictx Context, frames []string)                       {}
func BeforeCrash(ictx Context, n int, why string)                    {}
func AfterCrash(ictx Context, n int)                                 {}
func BeforeMethod(ictx Context, recv interface{}, depth int)         {}
func AfterMethod(ictx Context, frames []string)                      {}
func BeforeGeneric(ictx Context, value interface{}, depth int)       {}
func BeforeBurn(ictx Context, rounds int)                            {}
func AfterBurn(ictx Context, sum uint64)                             {}
func BeforeAllocate(ictx Context, size int)                          {}
func AfterAllocate(ictx Context, block []byte)                       {}
func BeforeContend(ictx Context, recv interface{}, rounds int)       {}
func AfterContend(ictx Context)                                      {}
func BeforeLog(ictx Context, ctx interface{}, message string)        {}
func AfterLog(ictx Context)                                          {}
func BeforeStop(ictx Context, label string, pair interface{}, n int) { show("before") }
func AfterStop(ictx Context, text string, sum int)                   { show("after") }

func show(when string) {
	if os.Getenv("FIDELITY_SHOW") == "" {
		return
	}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		fmt.Println(when, frame.Function, frame.Line, runtime.FuncForPC(frame.PC-1).Name())
		if !more {
			return
		}
	}
}
