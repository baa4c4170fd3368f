package rt

import (
	"runtime"
	"testing"
	"unsafe"
)

// thing is what is current, with a name.
type thing struct {
	name   string
	closed bool
}

func enterValue(name string) (*Scope, *thing) {
	v := &thing{name: name}
	return Enter(unsafe.Pointer(v), 0), v
}

func isOpen(p unsafe.Pointer) bool { return !(*thing)(p).closed }

func currentName() string {
	if v := (*thing)(Current(isOpen)); v != nil {
		return v.name
	}
	return ""
}

func wantCurrent(t *testing.T, when, want string) {
	t.Helper()
	if got := currentName(); got != want {
		t.Errorf("%s: current is %q, want %q", when, got, want)
	}
}

// as runs f as goroutine g.
func (w *world) as(g *fakeG, f func()) {
	old := w.g
	w.g = g
	f()
	w.g = old
}

// start does what the stub in newproc1 does.
func (w *world) start(goid uint64) *fakeG {
	g, _ := w.newG(goid)
	g.lo, g.hi = w.g.lo, w.g.hi
	g.slot = w.g.slot
	return g
}

func TestScopesNest(t *testing.T) {
	newWorld(t)
	wantCurrent(t, "at first", "")
	a, _ := enterValue("a")
	b, _ := enterValue("b")
	wantCurrent(t, "inside", "b")
	b.Leave()
	wantCurrent(t, "b left", "a")
	enterValue("forgotten")
	a.Leave()
	wantCurrent(t, "a left", "")
	a.Leave()
	b.Leave()
	wantCurrent(t, "all left again", "")
}

func TestOverlappingScopes(t *testing.T) {
	newWorld(t)
	a, _ := enterValue("a")
	b, _ := enterValue("b")
	a.End()
	wantCurrent(t, "a ended", "b")
	b.End()
	wantCurrent(t, "both ended", "")
	_, c := enterValue("c")
	d, _ := enterValue("d")
	c.closed = true
	wantCurrent(t, "c closed below", "d")
	d.End()
	wantCurrent(t, "d ended", "")
}

func TestFind(t *testing.T) {
	w := newWorld(t)
	named := func(name string) func(unsafe.Pointer) bool {
		return func(p unsafe.Pointer) bool { return (*thing)(p).name == name }
	}
	a, _ := enterValue("a")
	enterValue("b")
	if Find(named("a")) != a || Find(named("x")) != nil {
		t.Error("not found")
	}
	w.as(w.start(2), func() {
		if Find(named("a")) != nil {
			t.Error("a goroutine finds a scope of another")
		}
	})
}

func TestInheritance(t *testing.T) {
	w := newWorld(t)
	a, _ := enterValue("a")
	child := w.start(2)
	w.as(child, func() {
		wantCurrent(t, "child", "a")
		if child.slot.goid != 1 {
			t.Error("looking made a node")
		}
		b, _ := enterValue("b")
		wantCurrent(t, "child, own", "b")
		b.Leave()
		wantCurrent(t, "child, own left", "a")
	})
	wantCurrent(t, "parent", "a")
	c, _ := enterValue("c")
	w.as(child, func() { wantCurrent(t, "child does not see what came later", "a") })
	c.Leave()
	a.Leave()
	w.as(child, func() { wantCurrent(t, "left by the parent", "") })
	w.as(w.start(3), func() { wantCurrent(t, "child of nobody", "") })
}

func TestPrivateScopes(t *testing.T) {
	w := newWorld(t)
	if HoldBack() != nil || w.g.slot != nil {
		t.Error("held back nothing")
	}
	a, _ := enterValue("a")
	s := HoldBack()
	wantCurrent(t, "while held back", "a")
	child := w.start(2)
	w.as(child, func() {
		wantCurrent(t, "child", "")
		own, _ := enterValue("own")
		own.Leave()
		wantCurrent(t, "child with a node", "")
	})
	s.Leave()
	w.as(w.start(3), func() { wantCurrent(t, "afterwards", "a") })
	b := EnterAlone(unsafe.Pointer(&thing{name: "alone"}))
	wantCurrent(t, "alone", "alone")
	w.as(w.start(4), func() { wantCurrent(t, "child of alone", "") })
	b.Leave()
	a.Leave()
	wantCurrent(t, "at last", "")
}

func TestDetach(t *testing.T) {
	w := newWorld(t)
	enterValue("a")
	w.as(w.start(2), func() {
		Detach()
		wantCurrent(t, "without a node", "")
	})
	w.as(w.start(3), func() {
		own(unsafe.Pointer(w.g))
		Detach()
		wantCurrent(t, "with a node", "")
	})
	system := w.start(4)
	w.as(system, func() {
		onSystemGoroutine(nil, nil, unsafe.Pointer(w.g))
		if system.slot != nil {
			t.Error("a goroutine of the runtime keeps what it inherited")
		}
	})
}

func TestLeaveElsewhere(t *testing.T) {
	w := newWorld(t)
	a, _ := enterValue("a")
	b, _ := enterValue("b")
	w.as(w.start(2), b.Leave)
	wantCurrent(t, "left by another goroutine", "a")
	a.Leave()
	wantCurrent(t, "left", "")
}

// TestScopesKeepTheTop: exit stubs read the distance of the top record in whatever node the slot points to.
func TestScopesKeepTheTop(t *testing.T) {
	w := newWorld(t)
	var scope *Scope
	d := desc("f", hook("r",
		func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { scope, _ = enterValue("a") },
		func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { scope.Leave() }))
	for range 2 { // the second time on a node of its own
		w.enter(d, 512)
		if w.top() != 512 {
			t.Errorf("top %d inside", w.top())
		}
		wantCurrent(t, "in the call", "a")
		w.enter(d, 1024)
		w.exit(d, 1024)
		if w.top() != 512 {
			t.Errorf("top %d after an inner call", w.top())
		}
		scope = nil
		w.exit(d, 512)
		if w.top() != 0 {
			t.Errorf("top %d outside", w.top())
		}
	}
}

func TestNothingIsCurrentWhileSuppressed(t *testing.T) {
	w := newWorld(t)
	a, _ := enterValue("a")
	Suppress(func() {
		wantCurrent(t, "suppressed", "")
		if Enter(unsafe.Pointer(&thing{}), 0) != nil {
			t.Error("entered")
		}
		w.as(w.start(2), func() { wantCurrent(t, "child", "") })
		a.End()
	})
	wantCurrent(t, "ended meanwhile", "")
}

// TestLeftIsForgotten: neither a goroutine that lives on nor chains of goroutines keep what is over.
func TestLeftIsForgotten(t *testing.T) {
	w := newWorld(t)
	gone := make(chan bool, 1)
	var scope *Scope
	func() {
		v := &thing{name: "big"}
		runtime.SetFinalizer(v, func(*thing) { gone <- true })
		scope = Enter(unsafe.Pointer(v), 0)
	}()
	child := w.start(2)
	scope.Leave()
	scope = nil
	for range 100 {
		runtime.GC()
		select {
		case <-gone:
			runtime.KeepAlive(child)
			return
		default:
			runtime.Gosched()
		}
	}
	t.Error("a child keeps what its creator has left")
}

func TestScopesThatAreNeverLeft(t *testing.T) {
	newWorld(t)
	for range 10*maxScopes + 1 {
		enterValue("leaked")
	}
	if d := own(current()).scope.depth; d > maxScopes {
		t.Errorf("%d scopes", d)
	}
	s, _ := enterValue("new")
	s.Leave()
	wantCurrent(t, "still", "leaked")
}

func TestContextNotLinked(t *testing.T) {
	if Enter(unsafe.Pointer(&thing{}), 0) != nil || HoldBack() != nil || Current(nil) != nil || Find(nil) != nil || InHook() || GoroutineID() != 0 {
		t.Error("something happened")
	}
	Detach()
	(*Scope)(nil).Leave()
	(*Scope)(nil).End()
}

func TestInHook(t *testing.T) {
	w := newWorld(t)
	inside := false
	d := desc("f", hook("r", func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { inside = InHook() }, nil))
	w.enter(d, 512)
	if !inside || InHook() {
		t.Errorf("inside %v, outside %v", inside, InHook())
	}
}

func TestFatalPanic(t *testing.T) {
	w := newWorld(t)
	var l log
	d := desc("f", l.hook("r"))
	w.enter(d, 512)
	w.panic(1024, "boom")
	OnFatalPanic(func() { l.add("fatal"); panic("in the function") })
	defer OnFatalPanic(func() {})
	onFatalPanic(nil, w.at(1024), unsafe.Pointer(w.g))
	l.want(t, "before r", "unwound r", "fatal")
	if HookPanics() != 1 || w.top() != 0 {
		t.Errorf("%d panics, top %d", HookPanics(), w.top())
	}
}

func BenchmarkEnterLeave(b *testing.B) {
	newWorld(b)
	v := unsafe.Pointer(&thing{})
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		Enter(v, 0).Leave()
	}
}

func BenchmarkCurrent(b *testing.B) {
	newWorld(b)
	enterValue("a")
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		Current(nil)
	}
}
