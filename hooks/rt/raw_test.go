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
