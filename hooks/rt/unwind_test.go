package rt

import (
	"fmt"
	"testing"
	"unsafe"
)

// why is a hook that notes how its call ended.
func (l *log) why(name string) Hook {
	return hook(name, nil, func(c *Call, _, _, _ unsafe.Pointer) {
		v, goexit, ok := c.Unwound()
		l.add(fmt.Sprint(name, " ", v, " ", goexit, " ", ok))
	})
}

func TestPanicUnwinds(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g, h := desc("main.f", l.why("f")), desc("main.g", l.why("g")), desc("main.h", l.why("h"))
	w.enter(f, 64)
	w.enter(g, 128)
	w.panic(256, "boom")
	w.enter(h, 320) // in a deferred call, deeper than gopanic
	w.exit(h, 320)
	w.exit(f, 64) // f recovers
	l.want(t, "h <nil> false false", "g boom false true", "f <nil> false false")
	if w.g.slot.owner.throw.set {
		t.Error("the panic value is kept")
	}
}

func TestPanicFoundByLaterEnter(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g := desc("main.f", l.why("f")), desc("main.g", l.why("g"))
	w.enter(f, 64)
	w.enter(g, 128)
	w.panic(256, "boom")
	w.enter(g, 136) // deeper than the stale record: nothing is known yet
	w.exit(g, 136)
	w.enter(g, 128)
	l.want(t, "g <nil> false false", "g boom false true")
	w.exit(g, 128)
	w.exit(f, 64)
	l.want(t, "g <nil> false false", "f <nil> false false")
}

// When a deferred call runs, only the frames are open that still are.
func TestDeferredCallsAreInsideOfTheirFrame(t *testing.T) {
	w := newWorld(t)
	var l log
	e, f, g, h := desc("main.e", l.why("e")), desc("main.f", l.why("f")), desc("main.g", l.why("g")), desc("main.h", l.why("h"))
	w.enter(e, 32)
	w.enter(f, 64)
	w.enter(g, 128)
	w.panic(256, "boom")
	l.want(t)
	w.unwind(272, 136) // of g itself
	l.want(t)
	w.enter(h, 320)
	w.exit(h, 320)
	l.want(t, "h <nil> false false")
	w.unwind(272, 120) // of what is between f and g
	l.want(t, "g boom false true")
	w.enter(h, 320)
	w.enter(h, 384)
	w.exit(h, 384)
	w.exit(h, 320)
	l.want(t, "h <nil> false false", "h <nil> false false")
	w.unwind(272, 56) // of what is between e and f
	l.want(t, "f boom false true")
	w.g.panicking = nil
	onDeferReturn(nil, w.at(64), unsafe.Pointer(w.g)) // it has recovered
	w.exit(e, 32)
	l.want(t, "e <nil> false false")
	if w.g.slot.owner.throw.set {
		t.Error("the panic value is kept")
	}
}

// A panic in a deferred call unwinds that call, and then what the first one has not.
func TestPanicInDeferredCallBuries(t *testing.T) {
	w := newWorld(t)
	var l log
	e, f, g, h := desc("main.e", l.why("e")), desc("main.f", l.why("f")), desc("main.g", l.why("g")), desc("main.h", l.why("h"))
	w.enter(e, 32)
	w.enter(f, 64)
	w.enter(g, 128)
	w.panic(256, "first")
	w.unwind(272, 120)
	w.enter(h, 320) // the deferred call
	w.panic(384, "second")
	w.unwind(400, 56)
	l.want(t, "g first false true", "h second false true", "f second false true")
	w.end()
	l.want(t, "e second false true")
}

func TestGoexitBuries(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g, h := desc("main.f", l.why("f")), desc("main.g", l.why("g")), desc("main.h", l.why("h"))
	w.enter(f, 64)
	w.enter(g, 128)
	w.goexit(256)
	w.unwind(272, 120)
	l.want(t, "g <nil> true true")
	w.enter(h, 320)
	w.exit(h, 320)
	w.end()
	l.want(t, "h <nil> false false", "f <nil> true true")
}

func TestSecondPanicClosesWhatTheFirstUnwound(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g := desc("main.f", l.why("f")), desc("main.g", l.why("g"))
	w.enter(f, 64)
	w.enter(g, 256)
	w.panic(320, "first")
	w.panic(128, "second")
	l.want(t, "g first false true")
	w.end()
	l.want(t, "f second false true")
}

func TestPanicInDeferredCallReplaces(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g, h := desc("main.f", l.why("f")), desc("main.g", l.why("g")), desc("main.h", l.why("h"))
	w.enter(f, 64)
	w.enter(g, 128)
	w.panic(192, "first")
	w.enter(h, 256)
	w.panic(320, "second")
	w.exit(f, 64)
	l.want(t, "h second false true", "g second false true", "f <nil> false false")
}

func TestNilPanic(t *testing.T) {
	w := newWorld(t)
	var l log
	f := desc("main.f", l.why("f"))
	w.enter(f, 64)
	w.panic(128, nil)
	w.end()
	l.want(t, "f <nil> false true")
}

func TestGoexitUnwinds(t *testing.T) {
	w := newWorld(t)
	var l log
	f, g := desc("main.f", l.why("f")), desc("main.g", l.why("g"))
	w.enter(f, 64)
	w.enter(g, 128)
	w.goexit(192)
	w.enter(g, 256) // a deferred call panics and recovers
	w.panic(320, "boom")
	w.exit(g, 256)
	w.end()
	l.want(t, "g <nil> false false", "g <nil> true true", "f <nil> true true")
	if w.g.slot != nil {
		t.Error("slot not cleared")
	}
}

func TestUnwoundHooksSeeZeroes(t *testing.T) {
	w := newWorld(t)
	var l log
	d := desc("main.f", hook("f", nil, func(c *Call, args, results, _ unsafe.Pointer) {
		l.add(fmt.Sprintf("%v %q %v %q %v", *(*int)(results), *(*string)(args), c.GetReturnVal(0), c.GetReturnVal(1), c.GetParam(0)))
		c.SetReturnVal(0, 9)
		l.add(fmt.Sprint(*(*int)(results)))
	}))
	d.Results = []Value{
		{Size: 8, Type: typeOf(0)},
		{Size: 16, Flags: ValueString | ValueInArgs, Type: typeOf("")},
	}
	d.Params = []Value{{Size: 16, Flags: ValueString, Type: typeOf("")}}
	for _, size := range []uintptr{256, unsafe.Sizeof(zeroBlock) + 8} {
		d.ArgsSize, d.ResultsSize = size, size
		*(*string)(w.at(64)) = "old"
		w.enter(d, 64)
		w.end()
		l.want(t, `0 "" 0 "" <nil>`, "0")
	}
}

func TestUnwoundRecordKeepsData(t *testing.T) {
	w := newWorld(t)
	var l log
	d := desc("main.f", hook("f",
		func(c *Call, _, _, _ unsafe.Pointer) { c.SetData("kept") },
		func(c *Call, _, _, _ unsafe.Pointer) { l.add(fmt.Sprint(c.GetData())) }))
	w.enter(d, 64)
	w.end()
	l.want(t, "kept")
}

func TestSuppress(t *testing.T) {
	w := newWorld(t)
	var l log
	f := desc("main.f", l.hook("f"))
	w.enter(f, 64)
	var inherited *node
	Suppress(func() {
		if !Suppressed() {
			t.Error("not suppressed")
		}
		w.enter(f, 128)
		w.exit(f, 128)
		Suppress(func() { inherited = w.g.slot })
		if !Suppressed() {
			t.Error("the inner Suppress ended the outer one")
		}
	})
	if Suppressed() || w.top() != 64 {
		t.Error("Suppress does not end")
	}
	func() {
		defer func() { _ = recover() }()
		Suppress(func() { panic("p") })
	}()
	if Suppressed() {
		t.Error("Suppress does not end with a panic")
	}
	w.exit(f, 64)
	l.want(t, "before f", "after f")

	// Started under Suppress: for ever.
	w.g, w.m = w.newG(2)
	w.place(make([]unsafe.Pointer, stackWords))
	w.g.slot = inherited
	w.enter(f, 64)
	if !Suppressed() {
		t.Error("not inherited")
	}
	Suppress(func() {})
	w.enter(f, 64)
	if !Suppressed() {
		t.Error("not inherited for ever")
	}
	l.want(t)
}

// TestRecovered: what was unwound ends where the function goes on whose deferred call has recovered, and g.param, in which the runtime
// has left something for deferreturn, survives hooks that use it.
func TestRecovered(t *testing.T) {
	w := newWorld(t)
	var l log
	mine, other := new(int), new(int)
	outer := desc("outer", l.hook("outer"))
	inner := desc("inner", hook("inner", nil, func(c *Call, _, _, _ unsafe.Pointer) {
		value, _, _ := c.Unwound()
		l.add("unwound by " + value.(string))
		w.g.param = unsafe.Pointer(other)
	}))
	w.enter(outer, 256)
	w.enter(inner, 512)
	w.panic(1024, "first")
	w.enter(inner, 2048)
	w.panic(3072, "second") // in a deferred call, which recovers
	w.g.param = unsafe.Pointer(mine)
	onDeferReturn(nil, w.at(1536), unsafe.Pointer(w.g))
	l.want(t, "before outer", "unwound by second")
	if w.g.param != unsafe.Pointer(mine) {
		t.Error("g.param is lost")
	}
	onDeferReturn(nil, w.at(384), unsafe.Pointer(w.g))
	l.want(t, "unwound by first")
	w.exit(outer, 256)
	l.want(t, "after outer")
	if w.g.slot.owner.throw.set {
		t.Error("the panics are not forgotten")
	}
}
