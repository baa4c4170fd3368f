package rt

import "unsafe"

// unwindReason remembers the last panic and a Goexit of a goroutine, as long as it has open records. Whatever unwound a record
// began deeper than it. A recovered panic is not forgotten before: only later events show which frames it has unwound.
type unwindReason struct {
	set         bool
	exitIsNewer bool
	panicDist   uintptr // of runtime.gopanic's args area, 0 if there was no panic
	exitDist    uintptr // of runtime.Goexit's
	value       any
}

// panicked notes a panic. Records at or below gopanic's frame belong to frames that went before.
//
//go:norace
func (r *goroutine) panicked(args, g unsafe.Pointer) {
	dist := stackHi(g) - uintptr(args)
	r.closeFrom(dist, g)
	if r.next.outer == &r.root {
		return
	}
	r.throw.set = true
	r.throw.exitIsNewer = false
	r.throw.panicDist = dist
	r.throw.value = keepable(*(*any)(args), g)
}

// goexited notes a call of runtime.Goexit.
//
//go:norace
func (r *goroutine) goexited(args, g unsafe.Pointer) {
	dist := stackHi(g) - uintptr(args)
	r.closeFrom(dist, g)
	if r.next.outer == &r.root {
		return
	}
	r.throw.set = true
	r.throw.exitIsNewer = true
	r.throw.exitDist = dist
}

// end closes all records of a goroutine that ends.
//
//go:norace
func (r *goroutine) end(n *node) {
	for r.next.outer != &r.root {
		r.closeUnwound(r.pop(n), true)
	}
	r.throw = unwindReason{}
}

// closeFrom closes the records at or deeper than dist, innermost first.
//
//go:norace
func (r *goroutine) closeFrom(dist uintptr, g unsafe.Pointer) {
	for r.next.outer.dist >= dist {
		r.closeUnwound(r.pop(slot(g)), false)
	}
	if r.next.outer == &r.root && r.throw.set {
		r.throw = unwindReason{}
	}
}

// closeUnwound runs the after hooks of a record whose frame is gone, on zero results.
//
//go:norace
func (r *goroutine) closeUnwound(c *Call, end bool) {
	c.phase = phaseUnwound
	c.why = r.throw.of(c.dist, end)
	c.used = true
	if c.d.Flags&descKeeps != 0 {
		args, results := zeros(c.d.ArgsSize), zeros(c.d.ResultsSize)
		c.after(args, results)
	}
	c.clear()
}

// of returns why a record at dist was unwound. A goroutine that called Goexit ends whatever is recovered meanwhile.
//
//go:norace
func (t *unwindReason) of(dist uintptr, end bool) unwound {
	byExit := t.exitDist > dist
	byPanic := t.panicDist > dist
	if byExit && (end || t.exitIsNewer || !byPanic) {
		return unwound{goexit: true}
	}
	if byPanic {
		return unwound{value: t.value}
	}
	return unwound{}
}

// zeroBlock is shown to hooks in place of areas that are gone. Nobody writes to it: thunks load, and setters refuse.
var zeroBlock [64]uintptr

//go:norace
func zeros(size uintptr) unsafe.Pointer {
	if size <= unsafe.Sizeof(zeroBlock) {
		return unsafe.Pointer(&zeroBlock)
	}
	return unsafe.Pointer(unsafe.SliceData(make([]uintptr, (size+ptrSize-1)/ptrSize)))
}
