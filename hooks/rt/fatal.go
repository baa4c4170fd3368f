package rt

import (
	"sync/atomic"
	"unsafe"
)

// fatal is what OnFatalPanic was given last.
var fatal unsafe.Pointer // *fatalFunc

// fatalFunc is a function that OnFatalPanic or OnExit was given, and the one before.
type fatalFunc struct {
	f      func()
	before *fatalFunc
}

// OnFatalPanic adds a function that is called when a panic is about to end the program: all deferred calls of the goroutine have
// run, nobody has recovered, and nothing is printed yet. The goroutine's open records are closed before. A panic of f is
// recovered and counted. Of several, the one that was added last is called first.
//
//go:norace
func OnFatalPanic(f func()) { addFunc(&fatal, f) }

//go:norace
func addFunc(list *unsafe.Pointer, f func()) {
	added := &fatalFunc{f: f}
	for {
		last := atomic.LoadPointer(list)
		added.before = (*fatalFunc)(last)
		if atomic.CompareAndSwapPointer(list, last, unsafe.Pointer(added)) {
			return
		}
	}
}

//go:norace
func callAll(list *unsafe.Pointer) {
	for f := (*fatalFunc)(atomic.LoadPointer(list)); f != nil; f = f.before {
		f.call()
	}
}

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
	callAll(&fatal)
}

//go:norace
func (f *fatalFunc) call() {
	defer func() {
		if recover() != nil {
			atomic.AddUint64(&hookPanics, 1)
		}
	}()
	f.f()
}
