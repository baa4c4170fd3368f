package rt

import "unsafe"

// Most functions that are measured have no other hook, and what measures them cannot panic, box or ask for anything: their stubs call
// enterTimed and exitTimed in place of enter and exit. These leave every case but the common one to enterAny and exitAny, which run the
// hooks of package probe as they run all others.

// enterTimed pushes a record and notes the time, as the last thing.
//
//go:nosplit
//go:norace
//go:nocheckptr
func enterTimed(d *Desc, args, g unsafe.Pointer) bool {
	n := slot(g)
	if d.Flags&descReady == 0 || n == nil || n.goid != goid(g) {
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
	c.start = link.Nanotime()
	return false
}

// exitTimed looks at the clock, as the first thing, and pops the record. The histogram is what the after hook gets as its itab.
//
//go:nosplit
//go:norace
//go:nocheckptr
func exitTimed(d *Desc, results, args, g unsafe.Pointer) {
	now := link.Nanotime()
	n := slot(g)
	if n == nil || n.goid != goid(g) {
		return
	}
	r := n.owner
	c := r.next.outer
	if r.busy != 0 || c.dist != stackHi(g)-uintptr(args) || c.d != d || c.used || r.throw.set {
		exitAny(d, results, args, g)
		return
	}
	r.next = c
	n.top = uint64(c.outer.dist)
	(*Histogram)(unsafe.SliceData(d.Hooks).AfterTab).Add(now - c.start)
}

// StartTimer notes the time at which a before hook that measures the call begins.
//
//go:nosplit
//go:norace
func (c *Call) StartTimer() { c.start = link.Nanotime() }

// Elapsed returns the nanoseconds since StartTimer of a call that has returned, and not ok for one that was unwound: it ended some
// time ago.
//
//go:nosplit
//go:norace
func (c *Call) Elapsed() (ns int64, ok bool) {
	return link.Nanotime() - c.start, c.phase == phaseReturned
}
