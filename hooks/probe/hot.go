package probe

import (
	"runtime"
	"unsafe"

	"github.com/otelobj/otelobj/hooks/rt"
)

// What `probe: hot` does is chosen at random, so that no loop keeps step with it, but in the same order in every run.
const (
	hotFirst  = 256     // entries and returns that are all disturbed: many programs make no more calls
	hotOneIn  = 3       // of the later ones
	hotEarly  = 6_000   // of which every eighth disturbance collects garbage
	hotMany   = 200_000 // of which every 64th does; of later ones every 1024th, or a long program would never end
	moveEarly = 128     // levels of half a kilobyte that a move of the stack may take in the beginning
	moveLate  = 24      // and later: a large stack must cost little then
)

// hotCalls is counted without atomic instructions: they would order the program's goroutines, and so hide races from the race
// detector. A lost count only repeats a choice.
var hotCalls uint64

// beforeHot is called at the entry of a function with `probe: hot`, where Go code may run. What it does in turn calls nothing that has a hook
// on this goroutine: rt runs no hook inside a hook.
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

// disturbAny makes one of the disturbances, cheap ones more often. calls: how many there were.
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

// move uses the stack until it has been moved, so that it does no more than that takes. base: an address on the stack that the move
// corrects; was: the same as a number, which it does not.
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
