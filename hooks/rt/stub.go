package rt

import (
	"sync/atomic"
	"unsafe"
)

// The functions that stubs call. They run wherever a hooked function runs, perhaps on a stack that cannot grow: they have no
// stack check of their own, and call what has one only after they have seen that something is to be done and may be done here.

// enter is called by the entry stub of every hooked function: it runs the before hooks and pushes a record if an exit will ask
// for it. args is the args area. The result says whether to skip the call.
//
// It handles the common case, one pair of hooks on a goroutine in an ordinary state, and leaves everything else to enterAny. Flags
// that make a descriptor fast were computed where hooks can run, from data that never change: they need no atomic load. Of what
// guard looks at, a goroutine that has a state of its own answers for a part: m.curg is g, since only goroutines have slots; the
// allocator holds a lock; and where the stack may not be split, g.stackguard0 says that it is full (runtime/proc.go, entersyscall).
//
//go:nosplit
//go:norace
//go:nocheckptr
func enter(d *Desc, args, g unsafe.Pointer) bool {
	if flags := d.Flags; flags&(descFast|descShieldArgs) != descFast {
		if flags&descFast != descFast || anyOnStack(d.Params, args, args, g) {
			return enterAny(d, args, g)
		}
	}
	n := slot(g)
	if n == nil || n.goid != goid(g) {
		return enterAny(d, args, g)
	}
	r := n.owner
	c := r.next
	dist := stackHi(g) - uintptr(args)
	m := *(*unsafe.Pointer)(unsafe.Add(g, link.MOff))
	if r.busy != 0 || pinned(m) != 0 || !roomy(args, g) || n.top >= uint64(dist) || c.used {
		return enterAny(d, args, g)
	}
	if c.d != d {
		c.d = d
	}
	c.dist, c.callState = dist, callState{ran: 1}
	r.next = c.inner
	n.top = uint64(dist)
	r.busy = busyHook | busyPushed
	h := unsafe.SliceData(d.Hooks)
	(*(*thunk)(unsafe.Pointer(&h.Before)))(h.BeforeTab, unsafe.Pointer(c), args, nil, nil)
	r.busy = 0
	return c.skip
}

// enterAny is enter for every case.
//
//go:nosplit
//go:norace
//go:nocheckptr
//go:noinline
func enterAny(d *Desc, args, g unsafe.Pointer) bool {
	if !isOn() || !guard(g) {
		return false
	}
	n := slot(g)
	if n == nil || n.goid != goid(g) {
		if n != nil && n.suppressed || atomic.LoadUint32(&d.On) == 0 {
			return false
		}
		n = adopt(g, n).base
	}
	r := n.owner
	if r.busy != 0 {
		return false
	}
	c := r.fresh(d, args, g)
	flags := atomic.LoadUint32(&d.Flags)
	if flags&descReady == 0 {
		flags = d.prepare()
	}
	if flags&descShieldArgs != 0 {
		r.shield(d.Params, args, args, g)
	}
	c.before(args)
	if len(r.swaps) != 0 {
		r.unshield(g)
	}
	if c.skip || flags&descKeeps != 0 && c.ran != 0 {
		c.push(r, g)
	} else if c.used {
		c.clear()
	}
	return c.skip
}

// fresh returns the first unused record, for a call of d that begins: what is at or below its frame is closed.
//
//go:norace
func (r *goroutine) fresh(d *Desc, args, g unsafe.Pointer) *Call {
	dist := stackHi(g) - uintptr(args)
	if r.next.outer.dist >= dist {
		r.closeFrom(dist, g)
	}
	c := r.next
	if c.used {
		c.clear()
	}
	c.d, c.dist, c.callState = d, dist, callState{}
	return c
}

// push puts the first unused record on top.
//
//go:norace
//go:nocheckptr
func (c *Call) push(r *goroutine, g unsafe.Pointer) {
	if c.inner == nil {
		r.grow(c)
	}
	r.next = c.inner
	slot(g).top = uint64(c.dist) // looked up again: a hook may have put another node of this goroutine in its place
}

// exit is called by an exit stub when the top record is at or below its frame: it closes the records of the frames below, and
// then its own. The results area is in the stub's frame.
//
//go:nosplit
//go:norace
//go:nocheckptr
func exit(d *Desc, results, args, g unsafe.Pointer) {
	if flags := d.Flags; flags&(descFast|descShieldRes) != descFast {
		if flags&descFast != descFast || anyOnStack(d.Results, args, results, g) {
			exitAny(d, results, args, g)
			return
		}
	}
	n := slot(g)
	if n == nil || n.goid != goid(g) {
		return
	}
	r := n.owner
	c := r.next.outer
	dist := stackHi(g) - uintptr(args)
	m := *(*unsafe.Pointer)(unsafe.Add(g, link.MOff))
	if r.busy != 0 || *(*int32)(unsafe.Add(m, link.LocksOff)) != 0 || !roomy(results, g) ||
		c.dist != dist || c.d != d || c.skip {
		exitAny(d, results, args, g)
		return
	}
	r.next = c
	n.top = uint64(c.outer.dist)
	c.resDist = stackHi(g) - uintptr(results)
	c.callState = callState{ran: 1, phase: phaseReturned}
	r.busy = busyHook
	h := unsafe.SliceData(d.Hooks)
	(*(*thunk)(unsafe.Pointer(&h.After)))(h.AfterTab, unsafe.Pointer(c), args, results, nil)
	r.busy = 0
	if c.used || r.throw.set {
		c.settle(r)
	}
}

// exitAny is exit for every case.
//
//go:nosplit
//go:norace
//go:nocheckptr
//go:noinline
func exitAny(d *Desc, results, args, g unsafe.Pointer) {
	c := returned(d, args, g)
	if c == nil {
		return
	}
	r := c.owner
	c.phase = phaseReturned
	c.resDist = stackHi(g) - uintptr(results)
	if c.skip && len(c.rets) != 0 {
		c.storeResults(g)
	}
	flags := atomic.LoadUint32(&d.Flags)
	if flags&descKeeps != 0 {
		if flags&descShieldRes != 0 {
			r.shield(d.Results, args, results, g)
		}
		c.after(args, results)
		if len(r.swaps) != 0 {
			r.unshield(g)
		}
	}
	c.settle(r)
}

// returned takes off the record of a call that returns, and those in its way; nil if there is none, or no hook may run.
//
//go:nosplit
//go:norace
//go:nocheckptr
func returned(d *Desc, args, g unsafe.Pointer) *Call {
	if atomic.LoadUint32(&state) != stateOn {
		return nil // no record was ever pushed
	}
	n := slot(g)
	if n == nil || n.goid != goid(g) {
		return nil
	}
	r := n.owner
	if r.busy != 0 {
		return nil // the frame of something that a hook called; its entry was not recorded
	}
	dist := stackHi(g) - uintptr(args)
	if !guardExit(g) {
		r.drop(n, dist)
		return nil
	}
	if c := r.next.outer; (c.dist != dist || c.d != d) && !r.exitOther(d, dist, g) {
		return nil
	}
	return r.pop(slot(g))
}

// settle forgets what belongs to a call that has ended, and the reason for unwinding when there is nothing left to unwind.
//
//go:noinline
//go:norace
func (c *Call) settle(r *goroutine) {
	if c.used {
		c.clear()
	}
	if r.throw.set && c.outer == &r.root {
		r.throw = unwindReason{}
	}
}

// exitOther closes records that are in the way of an exit at dist. It reports whether the exit's own record is on top then.
//
//go:norace
//go:nocheckptr
func (r *goroutine) exitOther(d *Desc, dist uintptr, g unsafe.Pointer) bool {
	r.closeFrom(dist+1, g)
	c := r.next.outer
	if c.dist != dist {
		return false
	}
	if c.d != d { // another function's frame was here, and was unwound
		r.closeFrom(dist, g)
		return false
	}
	return true
}

// drop closes records at or deeper than dist where no hook may run.
//
//go:nosplit
//go:norace
func (r *goroutine) drop(n *node, dist uintptr) {
	for r.next.outer.dist >= dist {
		r.pop(n)
	}
}

// onPanic is called at the entry of runtime.gopanic: args holds the panic value, an any.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onPanic(_ *Desc, args, g unsafe.Pointer) bool {
	if r := thrower(g); r != nil && r.busy&busyHook == 0 {
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
	if r := thrower(g); r != nil && r.busy&busyHook == 0 {
		r.goexited(args, g)
	}
	return false
}

// thrower returns the running goroutine's state if it has open records: of no other is the reason of interest.
//
//go:nosplit
//go:norace
//go:nocheckptr
func thrower(g unsafe.Pointer) *goroutine {
	if !isOn() || !guard(g) {
		return nil
	}
	n := slot(g)
	if n == nil || n.goid != goid(g) || n.owner.next.outer == &n.owner.root {
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
	if n.goid == goid(g) && n.owner.next.outer != &n.owner.root && guard(g) {
		n.owner.end(n)
	}
	setSlot(g, nil)
	return false
}
