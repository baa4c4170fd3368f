package rt

import (
	"sync/atomic"
	"unsafe"
)

// before runs the before hooks. One that panics ends there, in its thunk.
//
//go:norace
//go:nocheckptr
func (c *Call) before(args unsafe.Pointer) {
	r := c.owner
	hooks := c.d.Hooks
	for i := range hooks {
		h := &hooks[i]
		if atomic.LoadUint32(&h.On) == 0 {
			continue
		}
		c.ran |= bit(i)
		if h.Before == nil {
			continue
		}
		r.busy, c.hook = busyHook, int16(i)
		var boxes unsafe.Pointer
		if len(h.BeforeBoxes) != 0 {
			boxes = c.box(h.BeforeBoxes, false)
		}
		(*(*thunk)(unsafe.Pointer(&h.Before)))(h.BeforeTab, unsafe.Pointer(c), args, nil, boxes)
	}
	r.rest()
}

// after runs the after hooks of the hooks that were on at entry, in reverse order.
//
//go:norace
//go:nocheckptr
func (c *Call) after(args, results unsafe.Pointer) {
	r := c.owner
	hooks := c.d.Hooks
	for i := len(hooks) - 1; i >= 0; i-- {
		h := &hooks[i]
		if h.After == nil || c.ran&bit(i) == 0 {
			continue
		}
		r.busy, c.hook = busyHook, int16(i)
		var boxes unsafe.Pointer
		if len(h.AfterBoxes) != 0 {
			boxes = c.box(h.AfterBoxes, true)
		}
		(*(*thunk)(unsafe.Pointer(&h.After)))(h.AfterTab, unsafe.Pointer(c), args, results, boxes)
	}
	r.rest()
}

// rest ends a run of hooks.
//
//go:norace
func (r *goroutine) rest() {
	r.busy = 0
	r.unbox()
}

// catch is deferred by every thunk, at the price of two stores: it runs if the hook does not end by itself. After a panic the
// thunk returns as if the hook had, to enter or exit. After runtime.Goexit they do not go on, and all is put in order here: the
// goroutine runs its deferred calls, hooked as ever.
//
//go:norace
func catch() { broken(recover()) }

// broken notes a hook that did not end by itself: the value it has panicked with, nil after runtime.Goexit.
//
//go:norace
func broken(p any) {
	g := current()
	r := slot(g).owner
	c := r.running()
	if p != nil {
		c.caught(p)
		return
	}
	if r.busy&busyPushed != 0 { // the function does not begin
		r.pop(slot(g))
	}
	r.rest()
	c.settle(r)
	r.unshield(g)
}

// catchValue makes the compiler emit catch as a func value, the one that thunks refer to.
var catchValue = catch

// caught ends a hook that has panicked. What the panic value's Error method calls is not hooked either.
//
//go:norace
func (c *Call) caught(p any) {
	if c.skipper == c.hook && c.phase == phaseBefore {
		c.skip = false
	}
	hookPanicked(c, p)
}

// bit is the place of hook i in Call.ran. Hooks from 31 on share one.
//
//go:norace
func bit(i int) uint32 {
	if i > 31 {
		i = 31
	}
	return 1 << uint(i)
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
