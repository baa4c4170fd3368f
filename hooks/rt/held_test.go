package rt

import (
	"testing"
	"unsafe"
)

// Numbers that are addresses in the stack follow it when a hook moves it; all others stay what they are.
func TestNumbersFollowTheStack(t *testing.T) {
	const by = 1 << 20
	w := newWorld(t)
	move := func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) {
		w.g.lo += by
		w.g.hi += by
	}
	still := func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) {}
	for _, c := range []struct {
		name          string
		before, after hookFunc
		atEntry       uintptr
		atExit        uintptr
	}{
		{"still", still, still, 0, 0},
		{"moved at entry", move, still, by, 0},
		{"moved at exit", still, move, 0, by},
	} {
		w.place(make([]unsafe.Pointer, stackWords))
		d := desc("main.f", hook(c.name, c.before, c.after))
		d.ParamNumbers = []int32{^0, ^16, ^24, ^32}
		d.ResultNumbers = []int32{0, 8, ^40, ^48}
		args, results := w.at(256), w.at(512)
		lo, hi := w.g.lo, w.g.hi
		set := func(base unsafe.Pointer, off int, n uintptr) { *(*uintptr)(unsafe.Add(base, off)) = n }
		want := func(when string, base unsafe.Pointer, off int, n uintptr) {
			t.Helper()
			if got := *(*uintptr)(unsafe.Add(base, off)); got != n {
				t.Errorf("%s: %s: %#x at %d, want %#x", c.name, when, got, off, n)
			}
		}
		set(args, 0, lo)
		set(args, 8, lo) // not in the list
		set(args, 16, hi-1)
		set(args, 24, hi)
		set(args, 32, lo-1)
		enterHeld(d, args, unsafe.Pointer(w.g))
		want("entry", args, 0, lo+c.atEntry)
		want("entry", args, 8, lo)
		want("entry", args, 16, hi-1+c.atEntry)
		want("entry", args, 24, hi)
		want("entry", args, 32, lo-1)
		w.g.lo, w.g.hi = lo, hi
		set(results, 0, lo+8)
		set(results, 8, 8)
		set(args, 40, lo+64)
		set(args, 48, 0)
		exitHeld(d, results, args, unsafe.Pointer(w.g))
		want("exit", results, 0, lo+8+c.atExit)
		want("exit", results, 8, 8)
		want("exit", args, 40, lo+64+c.atExit)
		want("exit", args, 48, 0)
		want("exit", args, 0, lo+c.atEntry)
		w.g.lo, w.g.hi = lo, hi
	}
}
