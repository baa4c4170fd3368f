package rt

import (
	"sync/atomic"
	"unsafe"
)

// The functions that stubs call. They run wherever a hooked function runs, perhaps on a stack that cannot grow: each first
// looks, without a stack check of its own, whether anything is to be done and may be done here.

// enter is called by the entry stub of every hooked function. args is the args area. It returns whether to skip the call.
//
//go:nosplit
//go:norace
//go:nocheckptr
func enter(d *Desc, args, g unsafe.Pointer) bool {
	if !isOn() || !guard(g) {
		return false
	}
	n := slot(g)
	if n == nil {
		return enterFirst(d, args, g)
	}
	if n.suppressed {
		return false
	}
	if n.goid != goid(g) {
		return enterFirst(d, args, g)
	}
	r := n.owner
	if r.inHook {
		return false
	}
	return r.enter(n, d, args, g)
}

//go:norace
//go:noinline
func enterFirst(d *Desc, args, g unsafe.Pointer) bool {
	if atomic.LoadUint32(&d.On) == 0 {
		return false
	}
	r := adopt(g, slot(g))
	return r.enter(&r.base, d, args, g)
}

// exit is called by an exit stub when the top record is at or below its frame. The results area is in the stub's frame.
//
//go:nosplit
//go:norace
//go:nocheckptr
func exit(d *Desc, results, args, g unsafe.Pointer) {
	if !isOn() {
		return
	}
	n := slot(g)
	if n == nil || n.goid != goid(g) {
		return
	}
	r := n.owner
	if r.inHook {
		return // the frame of something that a hook called; its entry was not recorded
	}
	if !guard(g) {
		r.drop(n, stackHi(g)-uintptr(args))
		return
	}
	r.exit(n, d, results, args, g)
}

// drop closes records at or deeper than dist where no hook may run.
//
//go:nosplit
//go:norace
func (r *goroutine) drop(n *node, dist uintptr) {
	for r.top != nil && r.top.dist >= dist {
		r.pop(n)
	}
}

// onPanic is called at the entry of runtime.gopanic: args holds the panic value, an any.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onPanic(_ *Desc, args, g unsafe.Pointer) bool {
	if r := thrower(g); r != nil {
		r.panicked(args, g)
	}
	return false
}

// onGoexit is called at the entry of runtime.Goexit.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onGoexit(_ *Desc, args, g unsafe.Pointer) bool {
	if r := thrower(g); r != nil {
		r.goexited(args, g)
	}
	return false
}

// thrower returns the state of a goroutine that has open records and no running hook: of no other is the reason of interest.
//
//go:nosplit
//go:norace
//go:nocheckptr
func thrower(g unsafe.Pointer) *goroutine {
	if !isOn() || !guard(g) {
		return nil
	}
	n := slot(g)
	if n == nil || n.goid != goid(g) || n.owner.inHook || n.owner.top == nil {
		return nil
	}
	return n.owner
}

// onGoroutineEnd is called where a goroutine ends. The slot is cleared in any case: g will be used again, and the stub that
// hands down the slot stores without a write barrier, which is right only over nil.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onGoroutineEnd(_ *Desc, _, g unsafe.Pointer) bool {
	if !isOn() {
		return false
	}
	n := slot(g)
	if n == nil {
		return false
	}
	if n.goid == goid(g) && n.owner.top != nil && guard(g) {
		n.owner.end(n)
	}
	setSlot(g, nil)
	return false
}
