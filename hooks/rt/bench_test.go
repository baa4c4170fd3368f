package rt

import (
	"testing"
	"unsafe"
)

//go:noinline
func empty() {}

func BenchmarkEmptyCall(b *testing.B) {
	for i := 0; i < b.N; i++ {
		empty()
	}
}

func nop(_, _, _, _, _ unsafe.Pointer) {}

// nopHook has thunks that do nothing: what is measured is this package.
func nopHook() Hook {
	f := thunk(nop)
	p := *(*unsafe.Pointer)(unsafe.Pointer(&f))
	return Hook{Rule: "nop", Instr: "nop", On: 1, Before: p, After: p}
}

func benchPair(b *testing.B, d *Desc) {
	w := newWorld(b)
	args, results, g := w.at(64), w.at(512), unsafe.Pointer(w.g)
	enter(d, args, g)
	exit(d, results, args, g)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		enter(d, args, g)
		exit(d, results, args, g)
	}
}

func BenchmarkEnterExit(b *testing.B) { benchPair(b, desc("main.f", nopHook())) }

func BenchmarkEnterExitTwoHooks(b *testing.B) { benchPair(b, desc("main.f", nopHook(), nopHook())) }

func BenchmarkEnterExitStrings(b *testing.B) {
	d := desc("main.f", nopHook())
	d.Params = []Value{value[string](0), value[string](16), value[[]byte](32)}
	d.Results = []Value{value[string](0)}
	benchPair(b, d)
}

func BenchmarkBeforeOnly(b *testing.B) {
	h := nopHook()
	h.After = nil
	benchPair(b, desc("main.f", h))
}

func BenchmarkSuppressed(b *testing.B) {
	w := newWorld(b)
	d := desc("main.f", nopHook())
	args, g := w.at(64), unsafe.Pointer(w.g)
	Suppress(func() {
		for i := 0; i < b.N; i++ {
			enter(d, args, g)
		}
	})
}

func BenchmarkSetGetData(b *testing.B) {
	h := hook("data",
		func(c *Call, _, _, _ unsafe.Pointer) { c.SetData(c) },
		func(c *Call, _, _, _ unsafe.Pointer) { _ = c.GetData() })
	benchPair(b, desc("main.f", h))
}
