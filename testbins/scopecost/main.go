// Contextcost measures what the context of goroutines costs: reading it, starting goroutines and using channels with and without one.
//
// It prints a line a case: name and nanoseconds (of the fastest of many short rounds, the cases in turn). Built plainly, the same
// source gives what the same things cost without hooks.
package main

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/otelobj/otelobj/hooks/rt"
)

var (
	sink    int
	found   unsafe.Pointer
	current struct{ name string }
)

//go:noinline
func leaf(n int) int { return n }

//go:noinline
func nothing(done chan bool) {
	if done != nil {
		done <- true
	}
}

const rounds = 400

type measured struct {
	name  string
	n     int
	enter bool
	run   func(n int)
	best  time.Duration
}

// round times one round and keeps the least disturbed.
func (m *measured) round() {
	var scope *rt.Scope
	if m.enter {
		scope = rt.Enter(unsafe.Pointer(&current), 1)
	}
	start := time.Now()
	m.run(m.n)
	took := time.Since(start)
	scope.Leave()
	if m.best == 0 || took < m.best {
		m.best = took
	}
}

// start starts goroutines one after the other; each ends before the next one begins.
func start(n int) {
	done := make(chan bool)
	for range n - 1 {
		go nothing(nil)
		runtime.Gosched()
	}
	go nothing(done)
	<-done
}

// pass sends values to itself.
func pass(n int) {
	c := make(chan int, 1)
	for range n {
		c <- 1
		<-c
	}
}

// choose is pass by select statements.
func choose(n int) {
	c, never := make(chan int, 1), make(chan int)
	for range n {
		select {
		case c <- 1:
		case never <- 1:
		}
		select {
		case <-c:
		case <-never:
		}
	}
}

// work takes values from a channel in a loop, as a worker does.
func work(n int) {
	c := make(chan int, n)
	for range n {
		c <- 1
	}
	close(c)
	elsewhere(func(int) {
		for i := range c {
			sink = i
		}
	})(n)
}

// elsewhere runs f on a goroutine of its own, which inherits.
func elsewhere(f func(n int)) func(n int) {
	return func(n int) {
		done := make(chan bool)
		go func() {
			f(n)
			close(done)
		}()
		<-done
	}
}

func main() {
	runtime.GOMAXPROCS(1) // the goroutine that starts another runs it, too
	read := func(n int) {
		for range n {
			found = rt.Current(nil)
		}
	}
	cases := []*measured{
		{name: "empty", n: 20_000, run: func(n int) {
			for i := range n {
				sink = leaf(i)
			}
		}},
		{name: "read-none", n: 20_000, run: read},
		{name: "read", n: 20_000, enter: true, run: read},
		{name: "go-none", n: 2_000, run: start},
		{name: "go", n: 2_000, enter: true, run: start},
		{name: "chan-none", n: 2_000, run: pass},
		{name: "chan", n: 2_000, enter: true, run: pass},
		{name: "chan-inherited", n: 2_000, enter: true, run: elsewhere(pass)},
		{name: "select-none", n: 2_000, run: choose},
		{name: "select", n: 2_000, enter: true, run: choose},
		{name: "select-inherited", n: 2_000, enter: true, run: elsewhere(choose)},
		{name: "work-none", n: 2_000, run: work},
		{name: "work-inherited", n: 2_000, enter: true, run: work},
	}
	for range rounds {
		for _, m := range cases {
			m.round()
		}
	}
	for _, m := range cases {
		fmt.Printf("%s %.3f\n", m.name, float64(m.best.Nanoseconds())/float64(m.n))
	}
}
