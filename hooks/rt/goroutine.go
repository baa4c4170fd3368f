package rt

import "unsafe"

const (
	ptrSize     = unsafe.Sizeof(uintptr(0))
	inlineCalls = 4  // records that come with a goroutine
	moreCalls   = 16 // records added at a time when a goroutine nests deeper

	roomyFrame = 512 // more than the frames of enter and an entry stub have, or those of exit and an exit stub below the results
)

// node is what the slot of a goroutine points to.
//
// Its first word is read by exit stubs, goid, settled, tag and cell by stubs of channel operations. All but the first never change once the
// node can be seen: they are all that a goroutine which inherited the node may look at.
type node struct {
	top        uint64 // distance of the owner's top record, 0 if there is none
	goid       uint64 // the owner
	suppressed bool   // no hook runs on the owner, nor on goroutines that inherit
	private    bool   // goroutines that inherit do not adopt what is in the cell
	settled    bool   // what is in the cell is the owner's own, not inherited
	tag        uint16 // of what is in the cell, 0 if there is nothing that others may adopt
	owner      *goroutine
	cell       *cell // what is current, nil if nothing is
}

// goroutine is the state of one goroutine. Nobody else touches it.
type goroutine struct {
	base  *node  // what the slot points to unless Suppress or a scope put another in its place
	first node   // the base at first
	scope *Scope // the innermost one, nil if there is none
	busy  uint8  // not 0: no hook may start
	next  *Call  // the first unused record; the one outside of it belongs to the innermost open call
	root  Call   // outside of all records, at distance 0
	calls [inlineCalls]Call

	boxes []any        // for the hook that is running
	swaps []sliceSwap  // slices that were replaced for the duration of a hook
	throw unwindReason // why frames may have gone without returning

	// Of the receive under way that may bring work.
	from  uintptr // the channel
	cases uintptr // of a select: distance of its cases from g.stack.hi
	sends int     // and how many of them send
}

// Values of goroutine.busy. While a hook runs, the other bit is as it was before: clear.
const (
	busyHook       = 1 << iota // a hook is running
	busySuppressed             // the goroutine's present node is suppressed
	busyPushed                 // the record of the running hook's call is on top, not the first unused one
)

// current returns the g of the running goroutine, nil in a program that was not linked by otelobj. It is a variable so that
// tests can stand in for the machine code.
var current = getg

// getg returns the running goroutine's g. Its code is put here by the link step.
//
//go:noinline
//go:norace
func getg() unsafe.Pointer { return nil }

// word reads the machine word at base+off.
//
//go:nosplit
//go:norace
func word(base unsafe.Pointer, off uintptr) uintptr { return *(*uintptr)(unsafe.Add(base, off)) }

// goid reads the ID of g.
//
//go:nosplit
//go:norace
func goid(g unsafe.Pointer) uint64 { return *(*uint64)(unsafe.Add(g, link.GoidOff)) }

// stackLo and stackHi read the bounds of g's stack: g begins with them in every Go version.
//
//go:nosplit
//go:norace
func stackLo(g unsafe.Pointer) uintptr { return word(g, 0) }

//go:nosplit
//go:norace
func stackHi(g unsafe.Pointer) uintptr { return word(g, ptrSize) }

// at returns the address at a distance from g.stack.hi. It does not survive a call except in a variable of its type.
//
//go:nosplit
//go:norace
func at(g unsafe.Pointer, dist uintptr) unsafe.Pointer {
	// The bound itself is never held as a pointer: the collector could take it for one to whatever follows the stack.
	addr := stackHi(g) - dist
	return *(*unsafe.Pointer)(unsafe.Pointer(&addr))
}

// roomy is the check that an ordinary function begins with, for one that cannot have it: p is an address in the frame of the stub
// that called it or, as the args area at a function's entry, next to that. It fails, too, where the goroutine was asked to
// yield. g.stackguard0 follows the bounds in every Go version.
//
//go:nosplit
//go:norace
func roomy(p, g unsafe.Pointer) bool {
	return uintptr(p) > word(g, 2*ptrSize)+roomyFrame
}

//go:nosplit
//go:norace
func slot(g unsafe.Pointer) *node { return *(**node)(unsafe.Add(g, link.SlotOff)) }

// setSlot is an ordinary store of a pointer, with a write barrier.
//
//go:nosplit
//go:norace
func setSlot(g unsafe.Pointer, n *node) { *(**node)(unsafe.Add(g, link.SlotOff)) = n }

// guard reports whether ordinary Go code may run here: on the goroutine's own stack, with no lock of the runtime held, not
// in the allocator, not where preemption is off, not in a system call.
//
//go:nosplit
//go:norace
//go:nocheckptr
func guard(g unsafe.Pointer) bool {
	m := *(*unsafe.Pointer)(unsafe.Add(g, link.MOff))
	return word(m, link.CurgOff) == uintptr(g) && held(g, m) == 0 || guardAgain(g, m)
}

// held combines what must all be zero for ordinary Go code to run. Where throwsplit is not known, ThrowsplitOff is 0: there g has
// the lower bound of its stack, whose low byte is 0.
//
//go:nosplit
//go:norace
//go:nocheckptr
func held(g, m unsafe.Pointer) uintptr {
	return word(m, link.PreemptoffOff+ptrSize) | // the length of a string
		uintptr(*(*uint32)(unsafe.Add(m, link.LocksOff))|*(*uint32)(unsafe.Add(m, link.MallocingOff))) |
		uintptr(*(*uint8)(unsafe.Add(g, link.ThrowsplitOff)))
}

// pinned combines what must be zero, of guard's conditions, in the short way of enter.
//
//go:nosplit
//go:norace
//go:nocheckptr
func pinned(m unsafe.Pointer) uintptr {
	return word(m, link.PreemptoffOff+ptrSize) | uintptr(*(*uint32)(unsafe.Add(m, link.LocksOff)))
}

// running returns the call whose hook is running, nil if none is.
//
//go:nosplit
//go:norace
func (r *goroutine) running() *Call {
	switch r.busy & (busyHook | busyPushed) {
	case 0:
		return nil
	case busyHook:
		return r.next
	}
	return r.next.outer
}

// guardAgain looks again if the goroutine was moved to another m between the reads: then they belong to somebody else. The
// answer yes needs no such care, a goroutine that can be preempted holds nothing.
//
//go:nosplit
//go:norace
//go:nocheckptr
//go:noinline
func guardAgain(g, m unsafe.Pointer) bool {
	now := *(*unsafe.Pointer)(unsafe.Add(g, link.MOff))
	return now != m && word(now, link.CurgOff) == uintptr(g) && held(g, now) == 0
}

// guardExit is guard where a record says that guard held at the function's entry. Of what guard looks at, only the lock count can
// differ now: functions outside the runtime pin the goroutine and return pinned.
//
//go:nosplit
//go:norace
//go:nocheckptr
func guardExit(g unsafe.Pointer) bool {
	m := *(*unsafe.Pointer)(unsafe.Add(g, link.MOff))
	return *(*int32)(unsafe.Add(m, link.LocksOff)) == 0 || guardAgain(g, m)
}

// adopt gives g a state of its own, in place of none or of an inherited one.
//
//go:norace
func adopt(g unsafe.Pointer, inherited *node) *goroutine {
	r := new(goroutine)
	r.first = node{goid: goid(g), owner: r, suppressed: inherited != nil && inherited.suppressed}
	r.first.cell, r.first.tag = heritage(inherited)
	r.base = &r.first
	if r.base.suppressed {
		r.busy = busySuppressed
	}
	r.chain(&r.root, r.calls[:])
	r.next = &r.calls[0]
	setSlot(g, r.base)
	return r
}

// own returns the running goroutine's own state, making one if needed.
//
//go:norace
func own(g unsafe.Pointer) *goroutine {
	n := slot(g)
	if n != nil && n.goid == goid(g) {
		return n.owner
	}
	return adopt(g, n)
}

// grow adds records below the innermost one.
//
//go:norace
func (r *goroutine) grow(last *Call) { r.chain(last, make([]Call, moreCalls)) }

// chain links fresh records below the record above.
//
//go:norace
func (r *goroutine) chain(above *Call, calls []Call) {
	for i := range calls {
		c := &calls[i]
		c.owner, c.goid = r, r.first.goid
		c.outer, above.inner = above, c
		above = c
	}
	above.used = true
}

// pop takes the top record off. Its contents stay until it is used again or cleared.
//
//go:nosplit
//go:norace
func (r *goroutine) pop(n *node) *Call {
	c := r.next.outer
	r.next = c
	n.top = uint64(c.outer.dist)
	return c
}
