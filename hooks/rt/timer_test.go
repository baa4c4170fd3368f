package rt

import (
	"testing"
	"unsafe"
)

// timedWorld has a clock that goes on by one, and counts how often the thunks of hooks ran.
type timedWorld struct {
	*world
	now    int64
	thunks int
}

func newTimedWorld(t *testing.T) *timedWorld {
	w := &timedWorld{world: newWorld(t)}
	link.Nanotime = func() int64 { w.now++; return w.now }
	return w
}

// timed is a function that is measured, and its histogram: its hooks do what those of package probe do.
func (w *timedWorld) timed(name string) (*Desc, *Histogram) {
	h := new(Histogram)
	d := desc(name, hook(name,
		func(c *Call, _, _, _ unsafe.Pointer) { w.thunks++; c.StartTimer() },
		func(c *Call, _, _, _ unsafe.Pointer) {
			w.thunks++
			if ns, ok := c.Elapsed(); ok {
				h.Add(ns)
			}
		}))
	d.Hooks[0].AfterTab = unsafe.Pointer(h)
	return d, h
}

func (w *timedWorld) enter(d *Desc, dist int) {
	w.t.Helper()
	if enterTimed(d, w.at(dist), unsafe.Pointer(w.g)) {
		w.t.Error("a call that is measured is skipped")
	}
}

func (w *timedWorld) exit(d *Desc, dist int) {
	exitTimed(d, w.at(dist+512), w.at(dist), unsafe.Pointer(w.g))
}

func (w *timedWorld) want(h *Histogram, calls, sum uint64) {
	w.t.Helper()
	d, n := taken(h), uint64(0)
	for _, in := range d.Buckets {
		n += in
	}
	if n != calls || d.Sum != sum {
		w.t.Errorf("%d calls, %d ns together; want %d, %d", n, d.Sum, calls, sum)
	}
}

func TestTimedCalls(t *testing.T) {
	w := newTimedWorld(t)
	f, inF := w.timed("main.f")
	g, inG := w.timed("main.g")
	w.enter(f, 64) // the first one prepares the descriptor and gives the goroutine a state
	w.exit(f, 64)
	w.want(inF, 1, 1)
	w.enter(f, 64)
	w.enter(g, 128) // so does this
	w.exit(g, 128)
	w.exit(f, 64)
	w.want(inF, 2, 1+3)
	w.want(inG, 1, 1)
	before := w.thunks
	for range 10 {
		w.enter(f, 64)
		w.enter(g, 128)
		w.enter(g, 256)
		if w.top() != 256 {
			t.Errorf("top %d", w.top())
		}
		w.exit(g, 256)
		w.exit(g, 128)
		w.exit(f, 64)
	}
	w.want(inF, 12, 4+10*5)
	w.want(inG, 21, 1+10*(1+3))
	if w.thunks != before || w.top() != 0 {
		t.Errorf("%d thunks ran, top %d", w.thunks-before, w.top())
	}
}

func TestTimedCallsThatDoNotReturn(t *testing.T) {
	w := newTimedWorld(t)
	f, inF := w.timed("main.f")
	g, inG := w.timed("main.g")
	w.enter(f, 64)
	w.enter(g, 128)
	w.exit(g, 128)
	w.exit(f, 64)
	for range 3 {
		w.enter(f, 64)
		w.enter(g, 128)
		w.panic(256, "boom")
		w.exit(f, 64) // f recovers
		if w.g.slot.owner.throw.set || w.top() != 0 {
			t.Errorf("the panic is kept, top %d", w.top())
		}
	}
	w.enter(f, 64)
	w.enter(g, 128) // unwound
	w.enter(g, 96)  // where nobody noticed
	w.exit(g, 96)
	w.enter(f, 64) // unwound, too
	w.exit(f, 64)
	w.enter(f, 64)
	w.goexit(256)
	w.end()
	calls := func(h *Histogram) (n uint64) {
		for _, in := range taken(h).Buckets {
			n += in
		}
		return n
	}
	if calls(inF) != 5 || calls(inG) != 2 {
		t.Errorf("%d and %d calls have returned", calls(inF), calls(inG))
	}
}

func TestTimedCallsWhereNoHookMayRun(t *testing.T) {
	w := newTimedWorld(t)
	var l log
	f, inF := w.timed("main.f")
	w.enter(f, 64)
	w.exit(f, 64)
	Suppress(func() {
		w.enter(f, 64)
		w.exit(f, 64)
	})
	call := func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) {
		w.enter(f, 256)
		w.exit(f, 256)
	}
	outer := desc("main.outer", hook("outer", call, call), l.hook("log"))
	w.world.enter(outer, 64)
	w.world.exit(outer, 64)
	l.want(t, "before log", "after log")
	w.m.locks = 1
	w.enter(f, 64)
	w.exit(f, 64)
	w.m.locks = 0
	w.g.throwsplit, w.g.stackguard = true, w.g.hi
	w.enter(f, 64)
	w.exit(f, 64)
	w.g.throwsplit, w.g.stackguard = false, 0
	w.want(inF, 1, 1)
	w.enter(f, 64)
	w.m.locks = 1 // pinned when it returns
	w.exit(f, 64)
	w.m.locks = 0
	w.want(inF, 2, 2)
	if w.top() != 0 {
		t.Errorf("top %d", w.top())
	}
}
