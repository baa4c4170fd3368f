package rt

import (
	"testing"
	"unsafe"
)

func TestOnStack(t *testing.T) {
	w := newWorld(t)
	lo, hi := stackLo(unsafe.Pointer(w.g)), stackHi(unsafe.Pointer(w.g))
	for addr, want := range map[uintptr]bool{lo: true, hi - 1: true, lo - 1: false, hi: false, 0: false} {
		if OnStack(*(*unsafe.Pointer)(unsafe.Pointer(&addr))) != want {
			t.Errorf("%#x in [%#x, %#x): %v", addr, lo, hi, !want)
		}
	}
	current = func() unsafe.Pointer { return nil }
	if OnStack(unsafe.Pointer(w)) {
		t.Error("on a stack that is not known")
	}
}

func TestSetSpansEnabled(t *testing.T) {
	w := newWorld(t)
	var l log
	span := l.hook("a")
	span.Flags = HookSpan
	f := desc("main.f", span, l.hook("b"))
	link.Descs = []*Desc{f, nil}
	if n := SetSpansEnabled(false); n != 1 || f.On != 1 {
		t.Errorf("%d hooks, %d on", n, f.On)
	}
	w.enter(f, 64)
	w.exit(f, 64)
	l.want(t, "before b", "after b")
}
