package rt

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"unsafe"
)

func TestNotLinked(t *testing.T) {
	w := newWorld(t)
	var l log
	d := desc("main.f", l.hook("a"))
	for name, spoil := range map[string]func(){
		"no version":    func() { link.Version = 0 },
		"other version": func() { link.Version = 2 },
		"other g":       func() { link.GSize += 8 },
		"no type":       func() { link.GType = nil },
		"slot beyond g": func() { link.SlotOff = link.GSize },
	} {
		saved := link
		spoil()
		state = stateUnknown
		if Linked() || w.enter(d, 64) || w.g.slot != nil {
			t.Errorf("%s: hooks are on", name)
		}
		w.exit(d, 64)
		w.panic(64, "p")
		w.end()
		ran := false
		Suppress(func() { ran = !Suppressed() })
		if !ran {
			t.Errorf("%s: Suppress", name)
		}
		l.want(t)
		link = saved
	}
	state = stateUnknown
	if !Linked() {
		t.Error("a linked program is not")
	}
}

func TestEnterExit(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g := desc("main.f", l.hook("a"), l.hook("b")), desc("main.g", l.hook("c"))
	if w.enter(f, 64) || w.top() != 64 {
		t.Fatalf("top %d", w.top())
	}
	w.enter(g, 128)
	if w.top() != 128 {
		t.Errorf("top %d", w.top())
	}
	w.exit(g, 128)
	if w.top() != 64 {
		t.Errorf("top %d", w.top())
	}
	w.exit(g, 128) // no record at this distance
	w.exit(f, 64)
	if w.top() != 0 {
		t.Errorf("top %d", w.top())
	}
	l.want(t, "before a", "before b", "before c", "after c", "after b", "after a")
}

func TestNoRecordWithoutAfter(t *testing.T) {
	w := newWorld(t)
	var l log
	only := l.hook("a")
	only.After = nil
	w.enter(desc("main.f", only), 64)
	noExit := desc("main.g", l.hook("b"))
	noExit.Flags = 0
	w.enter(noExit, 64)
	if w.top() != 0 {
		t.Errorf("top %d", w.top())
	}
	l.want(t, "before a", "before b")
}

func TestDeepNesting(t *testing.T) {
	w := newWorld(t)
	var l log
	const depth = 3*moreCalls + inlineCalls
	for round := 0; round < 2; round++ {
		var descs []*Desc
		for i := 0; i < depth; i++ {
			d := desc("main.f", l.hook(fmt.Sprint(i)))
			descs = append(descs, d)
			w.enter(d, 64+8*i)
		}
		l.lines = nil
		var want []string
		for i := depth - 1; i >= 0; i-- {
			exit(descs[i], w.at(4096), w.at(64+8*i), unsafe.Pointer(w.g))
			want = append(want, "after "+fmt.Sprint(i))
		}
		l.want(t, want...)
	}
}

func TestUnwoundByExit(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g := desc("main.f", l.hook("f")), desc("main.g", l.hook("g"))
	w.enter(f, 64)
	w.enter(g, 128)
	w.enter(g, 192)
	w.exit(f, 64)
	l.want(t, "before f", "before g", "before g", "unwound g", "unwound g", "after f")
}

func TestUnwoundByEnter(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g := desc("main.f", l.hook("f")), desc("main.g", l.hook("g"))
	w.enter(f, 64)
	w.enter(g, 128)
	w.enter(g, 96)
	w.enter(g, 96) // at the same distance: the frame before was unwound, too
	l.want(t, "before f", "before g", "unwound g", "before g", "unwound g", "before g")
	// The frame of another function, whose entry was not recorded, at the distance of a stale record.
	w.exit(f, 96)
	l.want(t, "unwound g")
	if w.top() != 64 {
		t.Errorf("top %d", w.top())
	}
}

func TestRecursionGuard(t *testing.T) {
	w := newWorld(t)
	var l log
	inner := desc("main.inner", l.hook("inner"))
	call := func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) {
		l.add("hook")
		w.enter(inner, 256)
		w.exit(inner, 256)
		w.panic(320, "in a hook")
	}
	f := desc("main.f", hook("f", call, call))
	w.enter(f, 64)
	if w.top() != 64 {
		t.Errorf("top %d", w.top())
	}
	w.exit(f, 64)
	l.want(t, "hook", "hook")
	w.enter(inner, 64)
	l.want(t, "before inner")
}

func TestHookPanics(t *testing.T) {
	w := newWorld(t)
	var l log
	boom := func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { panic(errors.New("boom")) }
	f := desc("main.f", l.hook("a"), hook("bad", boom, boom), l.hook("c"))
	for i := 0; i < 2; i++ {
		w.enter(f, 64)
		if w.top() != 64 {
			t.Errorf("top %d", w.top())
		}
		w.exit(f, 64)
		l.want(t, "before a", "before c", "after c", "after a")
	}
	if HookPanics() != 4 {
		t.Errorf("HookPanics() = %d", HookPanics())
	}
	if w.g.slot.owner.busy != 0 {
		t.Error("still in a hook")
	}
}

// A single pair of hooks takes a shorter way from the second call on.
func TestOnePair(t *testing.T) {
	w := newWorld(t)
	var l log
	var do, undo func(c *Call)
	d := desc("main.f", hook("f",
		func(c *Call, _, _, _ unsafe.Pointer) { l.add("before"); do(c) },
		func(c *Call, _, _, _ unsafe.Pointer) { l.add("after"); undo(c) }))
	d.Flags |= DescSkippable
	d.Results = []Value{value[int](0)}
	nop := func(*Call) {}
	do, undo = nop, nop
	call := func(skip bool) {
		t.Helper()
		if got := w.enter(d, 64); got != skip || w.top() != 64 {
			t.Errorf("skip %v, top %d", got, w.top())
		}
		w.exit(d, 64)
		if w.top() != 0 || w.g.slot.owner.busy != 0 {
			t.Errorf("top %d, busy %d", w.top(), w.g.slot.owner.busy)
		}
		l.want(t, "before", "after")
	}
	do = func(c *Call) { c.SetSkipCall(true); panic("boom") }
	call(false) // the long way: the flags of d are not known yet
	do = nop
	if d.Flags&descSimple == 0 {
		t.Fatal("not the short way")
	}
	call(false)
	do = func(c *Call) { c.SetData("d") }
	undo = func(c *Call) {
		if c.GetData() != "d" {
			t.Error("data lost")
		}
	}
	call(false)
	do = func(c *Call) { c.SetSkipCall(true); c.SetReturnVal(0, 7) }
	undo = func(c *Call) {
		if c.GetReturnVal(0) != 7 || c.GetData() != nil {
			t.Error("result lost")
		}
	}
	call(true)
	boom := func(*Call) { panic("boom") }
	do, undo = func(c *Call) { c.SetSkipCall(true); panic("boom") }, nop
	call(false) // a hook that has panicked does not skip the call
	do, undo = nop, boom
	call(false)
	do, undo = boom, boom
	call(false)
	if HookPanics() != 5 {
		t.Errorf("HookPanics() = %d", HookPanics())
	}
	leave := func(*Call) { runtime.Goexit() }
	for i := 0; i < 2; i++ {
		done := make(chan bool)
		go func() {
			defer close(done)
			if i == 0 {
				do, undo = leave, nop
			} else {
				do, undo = nop, leave
			}
			w.enter(d, 64)
			w.exit(d, 64)
			t.Error("Goexit returned")
		}()
		<-done
		if w.g.slot.owner.busy != 0 || w.top() != 0 {
			t.Errorf("busy %d, top %d", w.g.slot.owner.busy, w.top())
		}
		l.lines = nil
		do, undo = nop, nop
		call(false)
	}
}

type evilError struct{}

func (evilError) Error() string { panic("again") }

func TestHookPanicsEvilError(t *testing.T) {
	w := newWorld(t)
	f := desc("main.f", hook("bad", func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { panic(evilError{}) }, nil))
	w.enter(f, 64)
	if HookPanics() != 1 || w.g.slot.owner.busy != 0 {
		t.Error("not recovered")
	}
}

func TestGoexitInHook(t *testing.T) {
	w := newWorld(t)
	var l log
	leave := func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { runtime.Goexit() }
	outer := desc("main.outer", l.hook("outer"))
	for name, h := range map[string]Hook{"before": hook("x", leave, leave), "after": hook("x", nil, leave)} {
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() {
				// Deferred calls of the program, hooked as ever, and the end.
				w.enter(outer, 128)
				w.exit(outer, 128)
				w.end()
			}()
			w.enter(outer, 64)
			d := desc("main.f", h)
			w.enter(d, 96)
			w.exit(d, 96)
			t.Errorf("%s: Goexit returned", name)
		}()
		<-done
		l.want(t, "before outer", "before outer", "after outer", "unwound outer")
		if w.g.slot != nil {
			t.Errorf("%s: slot not cleared", name)
		}
	}
}

func TestGuards(t *testing.T) {
	w := newWorld(t)
	var l log
	f := desc("main.f", l.hook("f"))
	for name, c := range map[string]struct{ set, reset func() }{
		"other g":    {func() { w.m.curg = nil }, func() { w.m.curg = w.g }},
		"locks":      {func() { w.m.locks = 1 }, func() { w.m.locks = 0 }},
		"mallocing":  {func() { w.m.mallocing = 1 }, func() { w.m.mallocing = 0 }},
		"preemptoff": {func() { w.m.preemptoff = "gc" }, func() { w.m.preemptoff = "" }},
		"throwsplit": {func() { w.g.throwsplit = true }, func() { w.g.throwsplit = false }},
	} {
		c.set()
		w.enter(f, 64)
		c.reset()
		if l.want(t); w.top() > 0 {
			t.Errorf("%s: hook ran", name)
		}
		w.enter(f, 64)
		c.set()
		w.panic(128, "p")
		w.goexit(128)
		w.end()
		c.reset()
		if l.want(t, "before f"); w.g.slot != nil {
			t.Errorf("%s: slot stays", name)
		}
	}
}

// A function may return with a lock that it did not have: only that can differ between entry and exit.
func TestExitWithLock(t *testing.T) {
	w := newWorld(t)
	var l log
	f := desc("main.f", l.hook("f"))
	w.enter(f, 64)
	w.enter(f, 128)
	w.m.locks = 1
	w.exit(f, 128)
	if l.want(t, "before f", "before f"); w.top() != 64 {
		t.Errorf("top %d", w.top())
	}
	w.m.locks = 0
	w.exit(f, 64)
	l.want(t, "after f")
}

// A goroutine may be moved to another m between two reads; then what the old one says is not about it.
func TestGuardAfterMove(t *testing.T) {
	w := newWorld(t)
	old := &fakeM{locks: 1}
	if !guardAgain(unsafe.Pointer(w.g), unsafe.Pointer(old)) {
		t.Error("a moved goroutine is refused")
	}
	if guardAgain(unsafe.Pointer(w.g), unsafe.Pointer(w.m)) {
		t.Error("the same m is believed the second time")
	}
}

func TestForeignNode(t *testing.T) {
	w := newWorld(t)
	var l log
	f := desc("main.f", l.hook("f"))
	w.enter(f, 64)
	parent, parentG := w.g.slot, w.g
	w.g, w.m = w.newG(2)
	w.place(make([]unsafe.Pointer, stackWords))
	w.g.slot = parent
	w.exit(f, 64) // the stub reads the parent's top
	w.panic(128, "p")
	if w.g.slot != parent || parent.top != 64 {
		t.Error("a child touched its parent's node")
	}
	w.enter(f, 32)
	if w.g.slot == parent || w.g.slot.goid != 2 || parent.top != 64 {
		t.Error("a child did not get its own node")
	}
	// The g is used again by a goroutine that inherits nothing.
	w.end()
	w.g.goid = 3
	w.enter(f, 32)
	if w.g.slot.goid != 3 || w.top() != 32 {
		t.Error("no node of its own")
	}
	// A g that was used again although nobody cleared its slot.
	w.g.goid = 4
	w.enter(f, 16)
	if w.g.slot.goid != 4 || w.top() != 16 {
		t.Error("no node of its own")
	}
	l.lines = nil
	w.g = parentG
	w.g.slot = parent
	w.end()
	l.want(t, "unwound f")
}

func TestChildEndsWithInheritedNode(t *testing.T) {
	w := newWorld(t)
	var l log
	w.enter(desc("main.f", l.hook("f")), 64)
	parent := w.g.slot
	w.g, w.m = w.newG(2)
	w.place(make([]unsafe.Pointer, stackWords))
	w.g.slot = parent
	w.end()
	if w.g.slot != nil || parent.top != 64 {
		t.Error("the child's end closed its parent's records")
	}
	l.want(t, "before f")
}

func TestSteadyStateAllocates(t *testing.T) {
	w := newWorld(t)
	nop := func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) {}
	f := desc("main.f", hook("a", nop, nop), hook("b", nop, nop))
	f.Params = []Value{{Off: 0, Size: 16, Flags: ValueString}, {Off: 16, Size: 24, Flags: ValueSlice | ValueFlat, ElemSize: 1}}
	cycle := func() {
		for i := 0; i < 40; i++ {
			w.enter(f, 512+48*i)
		}
		for i := 39; i >= 0; i-- {
			exit(f, w.at(4096), w.at(512+48*i), unsafe.Pointer(w.g))
		}
	}
	cycle()
	if n := testing.AllocsPerRun(100, cycle); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestNoRoom checks that hooks run, and records fit together, whether or not the stack has room for the short way.
func TestNoRoom(t *testing.T) {
	w := newWorld(t)
	var l log
	d := desc("main.f", l.hook("f"))
	for i := range 16 {
		w.g.stackguard = 0
		w.enter(desc("main.first", l.hook("first")), 32) // the goroutine has its state from here on
		if i&1 != 0 {
			w.g.stackguard = ^uintptr(0) - 1314 // a request to yield
		}
		w.enter(d, 64)
		w.enter(d, 96)
		w.g.stackguard = 0
		if i&2 != 0 {
			w.g.stackguard = ^uintptr(0) - 1314
		}
		w.exit(d, 96)
		w.exit(d, 64)
		if w.top() != 32 || w.g.slot.owner.busy != 0 {
			t.Fatalf("round %d: top %d, busy %d", i, w.top(), w.g.slot.owner.busy)
		}
		w.end()
		l.want(t, "before first", "before f", "before f", "after f", "after f", "unwound first")
	}
}

// TestGoexitShortWay is TestGoexitInHook for descriptors and goroutines that have been seen before.
func TestGoexitShortWay(t *testing.T) {
	for _, side := range []string{"before", "after"} {
		w := newWorld(t)
		var l log
		armed := ""
		leave := func(name string) hookFunc {
			return func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) {
				if armed == name {
					runtime.Goexit()
				}
			}
		}
		outer := desc("main.outer", l.hook("outer"))
		d := desc("main.f", hook("x", leave("before"), leave("after")))
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() {
				if w.top() != 64 || w.g.slot.owner.busy != 0 {
					t.Errorf("%s: top %d, busy %d", side, w.top(), w.g.slot.owner.busy)
				}
				w.end()
			}()
			w.enter(outer, 64)
			w.enter(d, 96)
			w.exit(d, 96)
			armed = side
			w.enter(d, 96)
			w.exit(d, 96)
			t.Errorf("%s: Goexit returned", side)
		}()
		<-done
		l.want(t, "before outer", "unwound outer")
	}
}
