package rt

import "unsafe"

// Stubs of functions that take or return a uintptr call enterHeld and exitHeld. The number may be the address of something: while hooks run, the
// collector keeps that alive, since it scans the stub's frame conservatively (trampolines.Arch.hold_stub). If it lies in the goroutine's stack, a
// hook that makes the stack grow moves it, so the number is made to follow.

// enterHeld is enter for a function that has d.ParamNumbers or d.ResultNumbers.
//
//go:nosplit
//go:norace
//go:nocheckptr
func enterHeld(d *Desc, args, g unsafe.Pointer) bool {
	lo, hi := stackLo(g), stackHi(g)
	skip := enter(d, args, g)
	if by := stackHi(g) - hi; by != 0 {
		follow(d.ParamNumbers, args, nil, lo, hi, by)
	}
	return skip
}

// exitHeld is exit for a function that has d.ParamNumbers or d.ResultNumbers. It goes straight to exitAny: a frame more would not fit into what the
// linker allows functions without a stack check where nothing is optimised.
//
//go:nosplit
//go:norace
//go:nocheckptr
func exitHeld(d *Desc, results, args, g unsafe.Pointer) {
	lo, hi := stackLo(g), stackHi(g)
	exitAny(d, results, args, g)
	if by := stackHi(g) - hi; by != 0 {
		follow(d.ResultNumbers, args, results, lo, hi, by)
	}
}

// follow adds `by` to the numbers that are addresses in what was the goroutine's stack.
//
//go:nosplit
//go:norace
//go:nocheckptr
func follow(numbers []int32, args, results unsafe.Pointer, lo, hi, by uintptr) {
	for _, off := range numbers {
		base := results
		if off < 0 {
			base, off = args, ^off
		}
		if p := (*uintptr)(unsafe.Add(base, off)); *p-lo < hi-lo {
			*p += by
		}
	}
}
