// Manycost measures what many goroutines cost, and calls on many processors.
//
// It prints a line a case: name and bytes of a goroutine that waits in a call, then name and nanoseconds of a call, on one processor, two, four and so on, with a
// goroutine for each (of the fastest of many short rounds). Built plainly, the same source gives what the same things cost without hooks.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

const (
	goroutines = 100_000
	calls      = 20_000 // a round
	rounds     = 200
)

//go:noinline
func wait(c chan bool) bool { return <-c }

//go:noinline
func call(n int) int { return n }

//go:noinline
func timed(n int) int { return call(n) }

func main() {
	fmt.Printf("goroutine %.1f\n", bytes())
	for processors := 1; processors <= runtime.NumCPU(); processors *= 2 {
		for _, one := range []struct {
			name string
			call func(int) int
		}{{"call", call}, {"timed", timed}} {
			fmt.Printf("%s/%d %.3f\n", one.name, processors, fastest(one.call, processors))
		}
	}
}

// bytes returns how much memory a goroutine takes that waits in a call.
func bytes() float64 {
	c, before := make(chan bool), used()
	var begun sync.WaitGroup
	begun.Add(goroutines)
	for range goroutines {
		go func() {
			begun.Done()
			wait(c)
		}()
	}
	begun.Wait()
	for range goroutines { // who is behind the last one waits, too
		runtime.Gosched()
	}
	after := used()
	close(c)
	return float64(after-before) / goroutines
}

func used() int64 {
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return int64(memory.HeapAlloc + memory.StackInuse)
}

// fastest returns the nanoseconds of a call if each of so many processors makes calls.
func fastest(call func(int) int, processors int) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	var best time.Duration
	for range rounds {
		var all sync.WaitGroup
		began := time.Now()
		for range processors {
			all.Add(1)
			go func() {
				defer all.Done()
				sum := 0
				for i := range calls {
					sum += call(i)
				}
				runtime.KeepAlive(sum)
			}()
		}
		all.Wait()
		if took := time.Since(began); best == 0 || took < best {
			best = took
		}
	}
	return float64(best.Nanoseconds()) / calls
}
