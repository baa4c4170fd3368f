// Callcost measures an empty non-inlined call, the same call with a pair of no-op typed hooks, and with the hooks off.
//
// It prints a line a case: name, nanoseconds a call (median of rounds), allocations a call. The same source, built plainly,
// gives three times the plain call.
package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

var sink int

//go:noinline
func empty(p *int, n int) int { return other(p, n) }

//go:noinline
func hooked(p *int, n int) int { return other(p, n) }

//go:noinline
func hookedOff(p *int, n int) int { return other(p, n) }

// other keeps the three from being frameless leaves, whose epilogue has no room for a jump.
//
//go:noinline
func other(p *int, n int) int { return n }

//go:noinline
func leaf(n int) int { return n }

const calls = 2_000_000

func measure(name string, call func(n int)) {
	call(1000)
	var before, after runtime.MemStats
	var rounds []float64
	runtime.ReadMemStats(&before)
	for range 9 {
		start := time.Now()
		call(calls)
		rounds = append(rounds, float64(time.Since(start).Nanoseconds())/calls)
	}
	runtime.ReadMemStats(&after)
	slices.Sort(rounds)
	fmt.Printf("%s %.3f %.6f\n", name, rounds[len(rounds)/2], float64(after.Mallocs-before.Mallocs)/(9*calls))
}

func main() {
	x := 1
	measure("empty", func(n int) {
		for i := range n {
			sink = leaf(i)
		}
	})
	measure("plain", func(n int) {
		for i := range n {
			sink = empty(&x, i)
		}
	})
	measure("hooked", func(n int) {
		for i := range n {
			sink = hooked(&x, i)
		}
	})
	measure("off", func(n int) {
		for i := range n {
			sink = hookedOff(&x, i)
		}
	})
}
