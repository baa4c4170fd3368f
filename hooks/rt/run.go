package rt

import (
	"sync/atomic"
	"unsafe"
)

// before runs the before hooks from index from on. If one panics, the rest are left out, and c.hook tells which it was.
//
//go:norace
//go:nocheckptr
func (c *Call) before(args unsafe.Pointer, from int) {
	r := c.owner
	r.busy = busyHook
	defer func() {
		r.rest()
		if c.running() {
			c.caught(recover())
		}
	}()
	hooks := c.d.Hooks
	for i := from; uint(i) < uint(len(hooks)); i++ {
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

// running reports whether a hook of c has begun and not ended.
//
//go:nosplit
//go:norace
func (c *Call) running() bool { return c.hook != noHook }

// rest ends a run of hooks, however it ended.
//
//go:norace
func (r *goroutine) rest() {
	r.busy = 0
	r.unbox()
}

// catcher makes the deferred call of enter and exit. It is made once: to defer a func value that is there costs a third of
// making one.
//
//go:noinline
//go:norace
func (r *goroutine) catcher() func() {
	return func() {
		if r.inHook() {
			r.caught(recover())
		}
	}
}

// inHook reports whether a hook has begun and not ended.
//
//go:nosplit
//go:norace
func (r *goroutine) inHook() bool { return r.busy != 0 }

// caught does what is left to do when the hook that enter or exit ran did not end by itself. The record is on top for enter,
// taken off for exit. After runtime.Goexit in a before hook there is none: the function does not begin.
//
//go:norace
func (r *goroutine) caught(p any) {
	if c := r.next; c.hook != noHook {
		c.caught(p)
		c.hook = noHook
		r.busy = 0
		if p != nil {
			c.settle(r)
		}
		return
	}
	c := r.next.outer
	c.caught(p)
	c.hook = noHook
	r.busy = 0
	if p == nil {
		r.pop(slot(current()))
	}
}

// beforeRest goes on behind a hook that has panicked.
//
//go:norace
//go:nocheckptr
func (c *Call) beforeRest(args unsafe.Pointer) {
	for c.hook != noHook {
		c.before(args, int(c.hook)+1)
	}
}

// after runs the after hooks from index from down. If one panics, the rest are left out, and c.hook tells which it was.
//
//go:norace
//go:nocheckptr
func (c *Call) after(args, results unsafe.Pointer, from int) {
	r := c.owner
	r.busy = busyHook
	defer func() {
		r.rest()
		if c.running() {
			c.caught(recover())
		}
	}()
	hooks := c.d.Hooks
	for i := from; uint(i) < uint(len(hooks)); i-- {
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

// afterRest goes on behind a hook that has panicked.
//
//go:norace
//go:nocheckptr
func (c *Call) afterRest(args, results unsafe.Pointer) {
	for c.hook != noHook {
		c.after(args, results, int(c.hook)-1)
	}
}

// bit is the place of hook i in Call.ran. Hooks from 63 on share one.
//
//go:norace
func bit(i int) uint64 {
	if i > 63 {
		i = 63
	}
	return 1 << uint(i)
}

// caught ends a run of hooks that did not end by itself. After runtime.Goexit in a hook there is nothing to recover: the goroutine
// runs its deferred calls and ends, with hooks working again.
//
//go:norace
func (c *Call) caught(p any) {
	if p == nil {
		c.hook = noHook
		return
	}
	if c.skipper == c.hook && c.phase == phaseBefore {
		c.skip = false
	}
	// What the panic value's Error method calls is not hooked either.
	c.owner.busy = busyHook
	hookPanicked(c, p)
	c.owner.busy = 0
}

// storeResults puts the results that before hooks have set where the stub of a skipped call looks for them.
//
//go:norace
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
