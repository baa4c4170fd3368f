package rt

import "unsafe"

// unwindReason remembers the panics that are under way on a goroutine, and a Goexit, as long as it has open records. Whatever unwound
// a record began deeper than it.
type unwindReason struct {
	set         bool
	exitIsNewer bool    // than all panics
	exitDist    uintptr // of runtime.Goexit's args area, 0 if it was not called
	panics      []thrown
}

// thrown is a panic. Its stack begins in this package.
type thrown struct {
	dist  uintptr // of runtime.gopanic's args area
	value any
	stack []uintptr
}

const panicStack = 64 // frames

// panicked notes a panic. Records at or below gopanic's frame belong to frames that went before.
//
//go:norace
func (r *goroutine) panicked(args, g unsafe.Pointer) {
	dist := stackHi(g) - uintptr(args)
	r.closeFrom(dist, g)
	if r.next.outer == &r.root {
		return
	}
	t := thrown{dist: dist, value: keepable(*(*any)(args), g)}
	if t.value == nil {
		t.value = nilPanic()
	}
	if link.Callers != nil {
		t.stack = make([]uintptr, panicStack)
		t.stack = t.stack[:link.Callers(0, t.stack)]
	}
	r.throw.set = true
	r.throw.exitIsNewer = false
	r.throw.panics = append(r.throw.panics, t)
}

// nilPanic returns what runtime.gopanic makes of panic(nil), a *runtime.PanicNilError; nil if the type is not known.
//
//go:norace
func nilPanic() (value any) {
	if link.NilPanic != nil {
		*(*eface)(unsafe.Pointer(&value)) = eface{(*abiType)(link.NilPanic), unsafe.Pointer(&zeroBlock)}
	}
	return value
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

// onDeferReturn is called at the entry of runtime.deferreturn, which is where a function goes on whose deferred call has recovered:
// everything below its frame is gone. Functions that return with deferred calls the compiler could not inline come here, too.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onDeferReturn(_ *Desc, args, g unsafe.Pointer) bool {
	if !isOn() {
		return false
	}
	n := slot(g)
	if n == nil || n.goid != goid(g) {
		return false
	}
	dist := stackHi(g) - uintptr(args)
	if r := n.owner; r.throw.set && r.busy&busyHook == 0 && guard(g) {
		r.recovered(dist, g)
	}
	return false
}

// onNextFrame is called at the entry of runtime.(*_panic).nextFrame, which looks for the next frame with deferred calls, and leaves a record if
// something may be unwound.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onNextFrame(d *Desc, args, g unsafe.Pointer) bool {
	if r := thrower(g); r != nil && r.throw.set && r.busy == 0 {
		r.note(d, args, g)
	}
	return false
}

// onFrameFound is called where nextFrame returns, if its entry has left a record: before any deferred call of the frame runs. A deferred call may take its
// time, and what it starts is not inside of what has gone; net/http closes the connection there, and the program may end meanwhile.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onFrameFound(d *Desc, _, args, g unsafe.Pointer) {
	if r := noted(d, args, g); r != nil {
		r.bury(g)
	}
}

// bury closes the records on top whose frames are gone although they are still on the stack: those between a panic, or Goexit, and the frame whose
// deferred calls it runs. What the deferred calls have called lies deeper than the panic, which is itself on the stack (runtime/panic.go, gopanic).
//
//go:norace
//go:nocheckptr
func (r *goroutine) bury(g unsafe.Pointer) {
	p := *(*unsafe.Pointer)(unsafe.Add(g, link.PanicOff))
	if p == nil {
		return
	}
	frame, thrown := stackHi(g)-word(p, link.FpOff), stackHi(g)-uintptr(p)
	for dist := r.next.outer.dist; frame < dist && dist < thrown; dist = r.next.outer.dist {
		r.closeUnwound(r.pop(slot(g)), false)
	}
}

// recovered closes what is at or deeper than dist. What the runtime's recovery has left in g.param for deferreturn must not be lost: whatever
// blocks uses that field, and so does deferreturn itself in what hooks call.
//
//go:norace
func (r *goroutine) recovered(dist uintptr, g unsafe.Pointer) {
	param := (*unsafe.Pointer)(unsafe.Add(g, link.ParamOff))
	saved := *param
	*param = nil
	r.closeFrom(dist, g)
	*param = saved
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
	if !r.throw.set {
		return
	}
	if r.next.outer == &r.root {
		r.throw = unwindReason{}
		return
	}
	r.throw.forget(dist)
}

// forget drops the panics whose gopanic was at or deeper than dist: they were recovered, or replaced by others.
//
//go:norace
func (t *unwindReason) forget(dist uintptr) {
	n := len(t.panics)
	for n > 0 && t.panics[n-1].dist >= dist {
		n--
		t.panics[n] = thrown{}
	}
	t.panics = t.panics[:n]
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
func (t *unwindReason) of(dist uintptr, end bool) *unwound {
	var last *thrown
	for i := len(t.panics) - 1; i >= 0 && last == nil; i-- {
		if t.panics[i].dist > dist {
			last = &t.panics[i]
		}
	}
	if t.exitDist > dist && (end || t.exitIsNewer || last == nil) {
		return &unwound{goexit: true}
	}
	if last != nil {
		return &unwound{value: last.value, stack: last.stack}
	}
	return &unwound{}
}

// zeroBlock is what hooks see in place of areas that are gone. Nobody writes to it: thunks load, and setters refuse.
var zeroBlock [64]uintptr

//go:norace
func zeros(size uintptr) unsafe.Pointer {
	if size <= unsafe.Sizeof(zeroBlock) {
		return unsafe.Pointer(&zeroBlock)
	}
	return unsafe.Pointer(unsafe.SliceData(make([]uintptr, (size+ptrSize-1)/ptrSize)))
}
