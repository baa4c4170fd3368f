package probe

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/otelobj/otelobj/hooks/rt"
)

// Calls between two disturbances: numbers with which no loop of a program is likely to be in step.
const (
	collectEvery = 50_021
	growEvery    = 1_009
	growDepth    = 40
)

var disturbances uint64

// beforeStress is called at the entry of a function with `probe: stress` if Go code may run there. Now and then it moves the goroutine's
// stack, and now and then it collects garbage. A pointer that a hook or a stub holds wrongly does not survive that.
func beforeStress(_ *table, _ *rt.Call, _, _, _ unsafe.Pointer) { disturb() }

// afterStress is called when that function has returned.
func afterStress(_ *table, _ *rt.Call, _, _, _ unsafe.Pointer) { disturb() }

func disturb() {
	n := atomic.AddUint64(&disturbances, 1)
	if n%growEvery == 0 {
		grow(growDepth)
	}
	if n%collectEvery == 0 {
		runtime.GC()
	}
}

// grow uses 1 KB of stack for each level.
//
//go:noinline
func grow(depth int) byte {
	var room [1024]byte
	room[depth] = byte(depth)
	if depth > 0 {
		room[0] += grow(depth - 1)
	}
	return room[0] + room[depth]
}
