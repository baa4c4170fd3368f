package rt

import (
	"sync/atomic"
	"unsafe"
)

// fatal is what OnFatalPanic was given: a *func().
var fatal unsafe.Pointer

// OnFatalPanic sets a function that is called when a panic is about to end the program: all deferred calls of the goroutine have
// run, nobody has recovered, and nothing is printed yet. The goroutine's open records are closed before. A panic of f is
// recovered and counted.
//
//go:norace
func OnFatalPanic(f func()) { atomic.StorePointer(&fatal, unsafe.Pointer(&f)) }

// onFatalPanic is called at the entry of runtime.preprintpanics, where the runtime itself runs methods of the program's.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onFatalPanic(_ *Desc, _, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		dying(g)
	}
	return false
}

//go:norace
func dying(g unsafe.Pointer) {
	if n := slot(g); n != nil && n.goid == goid(g) && n.owner.busy == 0 {
		n.owner.end(n)
	}
	f := (*func())(atomic.LoadPointer(&fatal))
	if f == nil {
		return
	}
	defer func() {
		if recover() != nil {
			atomic.AddUint64(&hookPanics, 1)
		}
	}()
	(*f)()
}
