package rt

import (
	"sync"
	"testing"
	"unsafe"
)

func TestSetEnabled(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g := desc("main.f", l.hook("a"), l.hook("b")), desc("main.g", l.hook("b"))
	link.Descs = []*Desc{f, nil, g}
	if n := SetEnabled("instr-b", false); n != 2 {
		t.Errorf("%d hooks", n)
	}
	if f.On != 1 || g.On != 0 || Enabled("instr-b") || Enabled("b") || !Enabled("instr-a") || Enabled("unknown") {
		t.Errorf("on: %d %d", f.On, g.On)
	}
	w.enter(f, 64)
	w.exit(f, 64)
	l.want(t, "before a", "after a")
	w.enter(g, 64)
	if w.top() != 0 {
		t.Error("a record without hooks")
	}
	SetEnabled("b", true) // by the rule's name
	if f.On != 2 || g.On != 1 || !Enabled("instr-b") {
		t.Errorf("on: %d %d", f.On, g.On)
	}
	if n := SetEnabled("unknown", false); n != 0 {
		t.Errorf("%d hooks", n)
	}
}

func TestToggleDuringCall(t *testing.T) {
	w := newWorld(t)
	var l log
	f := desc("main.f", l.hook("a"), l.hook("b"))
	link.Descs = []*Desc{f}
	SetEnabled("b", false)
	w.enter(f, 64)
	SetEnabled("a", false)
	SetEnabled("b", true)
	w.exit(f, 64)
	l.want(t, "before a", "after a")
}

func TestDisabledDescGetsNoNode(t *testing.T) {
	w := newWorld(t)
	d := desc("main.f", hook("a", nil, nil))
	d.On = 0
	w.enter(d, 64)
	if w.g.slot != nil {
		t.Error("a node for nothing")
	}
}

func TestManyHooks(t *testing.T) {
	w := newWorld(t)
	n := 0
	hooks := make([]Hook, 300)
	for i := range hooks {
		hooks[i] = hook("many", nil, func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { n++ })
	}
	d := desc("main.f", hooks...)
	link.Descs = []*Desc{d}
	SetEnabled("many", true)
	if d.On != 255 {
		t.Errorf("the stub tests one byte: On = %d", d.On)
	}
	w.enter(d, 64)
	w.exit(d, 64)
	if n != 300 {
		t.Errorf("%d hooks ran", n)
	}
}

func TestSetEnabledConcurrently(t *testing.T) {
	newWorld(t)
	d := desc("main.f", hook("a", nil, nil), hook("b", nil, nil))
	link.Descs = []*Desc{d}
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		wg.Add(1)
		go func(name string) {
			defer wg.Done()
			for i := 0; i <= 1000; i++ {
				SetEnabled(name, i%2 == 0)
				Enabled(name)
			}
		}(name)
	}
	wg.Wait()
	if d.On != 2 {
		t.Errorf("On = %d", d.On)
	}
}

func TestSetTelemetryEnabled(t *testing.T) {
	w := newWorld(t)
	var l log
	span := l.hook("a")
	span.Flags = HookTelemetry
	f := desc("main.f", span, l.hook("b"))
	link.Descs = []*Desc{f, nil}
	if n := SetTelemetryEnabled(false); n != 1 || f.On != 1 {
		t.Errorf("%d hooks, %d on", n, f.On)
	}
	w.enter(f, 64)
	w.exit(f, 64)
	l.want(t, "before b", "after b")
}

func TestSupportingHooksAreNotNamed(t *testing.T) {
	newWorld(t)
	var l log
	support := l.hook("a")
	support.Flags, support.Instr = HookSupport, "sdk"
	b := l.hook("b")
	b.Instr = "b"
	link.Descs = []*Desc{desc("main.f", support, b)}
	var names []string
	Instrumentations(func(name string, on bool) { names = append(names, name) })
	if len(names) != 1 || names[0] != "b" {
		t.Errorf("%v", names)
	}
}
