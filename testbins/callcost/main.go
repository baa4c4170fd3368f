// Callcost measures an empty non-inlined call, the same call with a pair of no-op typed hooks, and with the hooks off.
//
// It prints a line a case: name, nanoseconds a call (of the fastest of many short rounds, the cases in turn), allocations a call.
// The empty call is a leaf without a frame; plain is one with a frame, that calls it. Each is measured with hooks and with hooks off.
package main

import (
	"fmt"
	"runtime"
	"time"
)

var sink int

//go:noinline
func empty(p *int, n int) int { return other(p, n) }

//go:noinline
func hooked(p *int, n int) int { return other(p, n) }

//go:noinline
func hookedOff(p *int, n int) int { return other(p, n) }

//go:noinline
func other(p *int, n int) int { return n }

//go:noinline
func leaf(n int) int { return n }

//go:noinline
func leafHooked(n int) int { return n }

//go:noinline
func leafOff(n int) int { return n }

//go:noinline
func counted(n int) int { return n }

//go:noinline
func timed(p *int, n int) int { return other(p, n) }

//go:noinline
func timedOff(p *int, n int) int { return other(p, n) }

var began = time.Now()

const (
	calls  = 20_000 // a round: shorter than what the scheduler of a busy machine leaves undisturbed
	rounds = 500
)

type measured struct {
	name   string
	call   func(n int)
	best   time.Duration
	allocs uint64
}

// round times one round and keeps the least disturbed.
func (m *measured) round() {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	m.call(calls)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	m.allocs += after.Mallocs - before.Mallocs
	if m.best == 0 || took < m.best {
		m.best = took
	}
}

func main() {
	x := 1
	cases := []*measured{
		{name: "empty", call: func(n int) {
			for i := range n {
				sink = leaf(i)
			}
		}},
		{name: "empty-hooked", call: func(n int) {
			for i := range n {
				sink = leafHooked(i)
			}
		}},
		{name: "empty-off", call: func(n int) {
			for i := range n {
				sink = leafOff(i)
			}
		}},
		{name: "plain", call: func(n int) {
			for i := range n {
				sink = empty(&x, i)
			}
		}},
		{name: "plain-hooked", call: func(n int) {
			for i := range n {
				sink = hooked(&x, i)
			}
		}},
		{name: "plain-off", call: func(n int) {
			for i := range n {
				sink = hookedOff(&x, i)
			}
		}},
		{name: "probe:count", call: func(n int) {
			for i := range n {
				sink = counted(i)
			}
		}},
		{name: "probe:latency", call: func(n int) {
			for i := range n {
				sink = timed(&x, i)
			}
		}},
		{name: "probe:latency-off", call: func(n int) {
			for i := range n {
				sink = timedOff(&x, i)
			}
		}},
		{name: "clock-pair", call: func(n int) {
			for range n {
				sink = int(time.Since(began) - time.Since(began))
			}
		}},
	}
	for range rounds {
		for _, m := range cases {
			m.round()
		}
	}
	for _, m := range cases {
		fmt.Printf("%s %.3f %.6f\n", m.name, float64(m.best.Nanoseconds())/calls, float64(m.allocs)/(rounds*calls))
	}
}
