package rt

import (
	"sync/atomic"
	"unsafe"
)

// enter runs the before hooks of d and pushes a record if an exit will ask for it.
//
//go:norace
//go:nocheckptr
func (r *goroutine) enter(n *node, d *Desc, args, g unsafe.Pointer) bool {
	dist := stackHi(g) - uintptr(args)
	if r.top != nil && r.top.dist >= dist {
		r.closeFrom(dist, g, false)
	}
	flags := atomic.LoadUint32(&d.Flags)
	if flags&descReady == 0 {
		flags = d.prepare()
	}
	c := r.next()
	if c.used {
		c.clear()
	}
	c.d, c.dist, c.ran, c.phase, c.skip = d, dist, 0, phaseBefore, false
	if flags&descShieldArgs != 0 {
		r.shield(d.Params, args, args, g)
	}
	c.before(args, 0)
	for c.hook != noHook { // a hook has panicked: go on behind it
		c.before(args, int(c.hook)+1)
	}
	if len(r.swaps) != 0 {
		r.unshield(g)
	}
	if !c.skip && (flags&descKeeps == 0 || c.ran == 0) {
		if c.used {
			c.clear()
		}
		return false
	}
	r.top = c
	slot(g).top = uint64(dist) // not n: a hook may have put another node of this goroutine in its place
	return c.skip
}

// before runs the before hooks from index from on. If one panics, c.hook tells which.
//
//go:norace
//go:nocheckptr
func (c *Call) before(args unsafe.Pointer, from int) {
	c.owner.inHook = true
	defer c.settle()
	hooks := c.d.Hooks
	for i := from; i < len(hooks); i++ {
		h := &hooks[i]
		if atomic.LoadUint32(&h.On) == 0 {
			continue
		}
		c.ran |= bit(i)
		if h.Before == nil {
			continue
		}
		c.hook = int32(i)
		var boxes unsafe.Pointer
		if len(h.BeforeBoxes) != 0 {
			boxes = c.box(h.BeforeBoxes, false)
		}
		(*(*thunk)(unsafe.Pointer(&h.Before)))(h.BeforeTab, unsafe.Pointer(c), args, nil, boxes)
	}
	c.hook = noHook
}

// after runs the after hooks from index from down. If one panics, c.hook tells which.
//
//go:norace
//go:nocheckptr
func (c *Call) after(args, results unsafe.Pointer, from int) {
	c.owner.inHook = true
	defer c.settle()
	hooks := c.d.Hooks
	for i := from; i >= 0; i-- {
		h := &hooks[i]
		if h.After == nil || c.ran&bit(i) == 0 {
			continue
		}
		c.hook = int32(i)
		var boxes unsafe.Pointer
		if len(h.AfterBoxes) != 0 {
			boxes = c.box(h.AfterBoxes, true)
		}
		(*(*thunk)(unsafe.Pointer(&h.After)))(h.AfterTab, unsafe.Pointer(c), args, results, boxes)
	}
	c.hook = noHook
}

// bit is the place of hook i in Call.ran. Hooks from 63 on share one.
func bit(i int) uint64 {
	if i > 63 {
		i = 63
	}
	return 1 << uint(i)
}

// settle ends a run of hooks, however it ended. After runtime.Goexit in a hook there is nothing to recover: the goroutine runs
// its deferred calls and ends, with hooks working again.
//
//go:norace
func (c *Call) settle() {
	if c.hook != noHook {
		if p := recover(); p != nil {
			hookPanicked(c, p)
		} else {
			c.hook = noHook
		}
	}
	c.owner.inHook = false
}

// exit closes the records of the frames below the returning one, and then its own.
//
//go:norace
//go:nocheckptr
func (r *goroutine) exit(n *node, d *Desc, results, args, g unsafe.Pointer) {
	dist := stackHi(g) - uintptr(args)
	if r.top != nil && r.top.dist > dist {
		r.closeFrom(dist+1, g, false)
		n = slot(g)
	}
	c := r.top
	if c == nil || c.dist != dist {
		return
	}
	r.pop(n)
	if c.d != d { // another function's frame was here, and was unwound
		r.closeUnwound(c, false)
		return
	}
	c.phase = phaseReturned
	c.resDist = stackHi(g) - uintptr(results)
	if c.skip && len(c.rets) != 0 {
		c.storeResults(g)
	}
	flags := d.Flags
	if flags&descKeeps != 0 {
		if flags&descShieldRes != 0 {
			r.shield(d.Results, args, results, g)
		}
		c.runAfter(args, results)
		if len(r.swaps) != 0 {
			r.unshield(g)
		}
	}
	if c.used {
		c.clear()
	}
	if r.top == nil && r.throw.set {
		r.throw = unwindReason{}
	}
}

func (c *Call) runAfter(args, results unsafe.Pointer) {
	c.after(args, results, len(c.d.Hooks)-1)
	for c.hook != noHook {
		c.after(args, results, int(c.hook)-1)
	}
}

// storeResults puts the results that before hooks have set where the stub of a skipped call looks for them.
func (c *Call) storeResults(g unsafe.Pointer) {
	for i := range c.rets {
		if !c.rets[i].set {
			continue
		}
		v := &c.d.Results[i]
		if !assign(v, c.resultAt(v, g), c.rets[i].val) {
			mismatch(c, "SetReturnVal", i)
		}
	}
}
