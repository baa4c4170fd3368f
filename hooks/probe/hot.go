package probe

import (
	"runtime"
	"unsafe"

	"github.com/otelobj/otelobj/hooks/rt"
)

// `probe: hot` chooses its disturbances at random, so that no loop is in step with them, but in the same order in every run.
const (
	hotFirst  = 256     // entries and returns that are all disturbed; many programs make no more calls
	hotOneIn  = 3       // of the later ones
	hotEarly  = 6_000   // of which every eighth disturbance collects garbage
	hotMany   = 200_000 // of which every 64th does; of later ones every 1024th, or a long program would never end
	moveEarly = 128     // levels of half a kilobyte that a move of the stack may take at first
	moveLate  = 24      // and later, when a large stack must cost little
)

// hotCalls is counted without atomic instructions: they would order the program's goroutines and so hide races from the race
// detector. A lost count only repeats a choice.
var hotCalls uint64

// beforeHot is called at the entry of a function with `probe: hot` if Go code may run there. Functions that it calls have no hooks meanwhile:
// rt runs no hook inside a hook.
func beforeHot(_ *table, _ *rt.Call, _, _, _ unsafe.Pointer) { heat() }

// afterHot is called when that function has returned.
func afterHot(_ *table, _ *rt.Call, _, _, _ unsafe.Pointer) { heat() }

//go:norace
func heat() {
	hotCalls++
	if n := mixed(hotCalls); hotCalls <= hotFirst || n%hotOneIn == 0 {
		disturbAny(hotCalls, n/hotOneIn)
	}
}

// disturbAny makes one of the disturbances, cheap ones more often. calls: the number of calls so far.
func disturbAny(calls, n uint64) {
	every, levels := uint64(1024), moveLate
	switch {
	case calls <= hotFirst:
		every, levels = 4, moveEarly
	case calls <= hotEarly:
		every, levels = 8, moveEarly
	case calls <= hotMany:
		every = 64
	}
	switch n / 16 % every {
	case 0:
		runtime.GC() // which shrinks stacks, too: the next growth moves this one again
		return
	case 1:
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats) // stops the world: goroutines on other threads are preempted wherever they are
		return
	}
	switch n % 16 {
	case 0, 1, 2, 3, 4, 5:
		var here byte
		move(&here, uintptr(unsafe.Pointer(&here)), levels)
	case 6, 7, 8, 9:
		grow(int(n / 16 % 10))
	default:
		runtime.Gosched()
	}
}

// mixed is the finalizer of SplitMix64.
func mixed(n uint64) uint64 {
	n *= 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// move uses the stack until it has been moved, and no further. base: an address on the stack, which the move corrects; was: the same address as
// a number, which the move leaves as it is.
//
//go:noinline
func move(base *byte, was uintptr, levels int) byte {
	var room [512]byte
	room[levels] = byte(levels)
	if levels > 0 && uintptr(unsafe.Pointer(base)) == was {
		room[0] += move(base, was, levels-1)
	}
	return room[0] + room[levels]
}
