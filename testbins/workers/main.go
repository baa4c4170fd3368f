// Command workers has functions that take from channels in loops, and functions that only look like it. Each that runs prints itself as
// runtime.Func.Name has the function that holds its code: "worker" or "other", and the name.
package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

type task func() int

type pool struct {
	work chan task
	stop chan struct{}
	sem  chan struct{}
	sum  int
}

var running sync.WaitGroup

// newer is what runs where Go knows it.
var newer []func()

// here prints the function whose code has made the call `skip` frames above.
//
//go:noinline
func here(kind string, skip int) int {
	var pcs [1]uintptr
	runtime.Callers(2+skip, pcs[:])
	fmt.Println(kind, runtime.FuncForPC(runtime.FuncForPC(pcs[0]-1).Entry()).Name())
	return 0
}

func say() int { return here("worker", 1) }

// full is a pool with two tasks whose channel is closed.
func full() *pool {
	p := &pool{work: make(chan task, 3), stop: make(chan struct{}), sem: make(chan struct{}, 1)}
	p.work <- say
	p.work <- say
	close(p.work)
	return p
}

//go:noinline
func ranges(ch chan task) {
	for t := range ch {
		t()
	}
}

//go:noinline
func selects(p *pool) {
	for {
		select {
		case t, ok := <-p.work:
			if !ok {
				return
			}
			t()
		case <-p.stop:
			return
		}
	}
}

//go:noinline
func receives(ch chan task) {
	for {
		t := <-ch
		if t == nil {
			return
		}
		t()
	}
}

//go:noinline
func polls(p *pool) error {
	for {
		select {
		case t, ok := <-p.work:
			if !ok {
				return errors.New("closed")
			}
			t()
		default:
			runtime.Gosched()
		}
	}
}

// hands takes with one case and gives with another.
//
//go:noinline
func hands(p *pool, out chan int) {
	n := 0
	for {
		select {
		case t := <-p.work:
			if t == nil {
				return
			}
			n = t()
		case out <- n:
		}
	}
}

// rotated starts with a task, as workers do that a pool starts when one comes.
func (p *pool) rotated(t task) {
	defer running.Done()
	for t != nil {
		t()
		t = <-p.work
	}
}

//go:noinline
func (p *pool) worker() {
	for t := range p.work {
		p.sum += t()
	}
	running.Done()
}

//go:noinline
func startMethod(p *pool) { go p.worker() }

//go:noinline
func startRotated(p *pool) { go p.rotated(say) }

//go:noinline
func startClosure(p *pool) {
	go func() {
		defer running.Done()
		for t := range p.work {
			t()
		}
	}()
}

func small(ch chan task) {
	for t := range ch {
		t()
	}
}

//go:noinline
func startInlined(p *pool) {
	go func() {
		small(p.work)
		running.Done()
	}()
}

// alone has the compiler keep small as a function of its own.
var alone = small

type queue[T any] struct{ ch chan T }

//go:noinline
func (q queue[T]) drain(do func(T)) {
	for v := range q.ch {
		do(v)
	}
}

//go:noinline
func generic[T any](ch chan T, do func(T)) {
	for v := range ch {
		do(v)
	}
}

// jumps goes back to its receive through a jump table alone.
//
//go:noinline
func jumps(ch chan int, p *pool) {
again:
	switch <-ch {
	case 0:
		p.sum++
		goto again
	case 1:
		p.sum *= 3
		goto again
	case 2:
		p.sum -= 7
		goto again
	case 3:
		p.sum ^= 0x55
		goto again
	case 4:
		here("worker", 0)
		goto again
	case 5:
		p.sum <<= 2
		goto again
	case 6:
		p.sum /= 3
		goto again
	case 7:
		p.sum |= 8
		goto again
	case 8:
		p.sum %= 1000
		goto again
	}
}

// get tries again until it has something that it returns.
//
//go:noinline
func get(p *pool) task {
	for {
		select {
		case t := <-p.work:
			if t != nil {
				here("other", 0)
				return t
			}
		case <-p.stop:
			return nil
		}
	}
}

// count returns more than an error.
//
//go:noinline
func count(ch chan task) (n int, err error) {
	for range ch {
		n++
	}
	here("other", 0)
	return n, nil
}

// limits takes a place in a semaphore and gives it back.
//
//go:noinline
func limits(p *pool) {
	p.sem <- struct{}{}
	for range 2 {
		place := <-p.sem
		here("other", 0)
		p.sem <- place
	}
}

//go:noinline
func once(p *pool) {
	t, ok := <-p.work
	here("other", 0)
	if ok && t == nil {
		panic("nil")
	}
}

// behind waits for the end of its loop.
//
//go:noinline
func behind(p *pool, n int) {
	for i := range n {
		p.sum += i
		here("other", 0)
	}
	<-p.work
	_, ok := <-p.work
	p.stop = make(chan struct{}, len(p.work))
	if !ok {
		return
	}
}

// leaves never comes to a second receive.
//
//go:noinline
func leaves(ps []*pool) {
	for _, p := range ps {
		if p == nil {
			continue
		}
		here("other", 0)
		select {
		case t, ok := <-p.work:
			if ok {
				t = nil
			}
			p.work = make(chan task, len(ps))
			_ = t
		case <-p.stop:
		}
		return
	}
}

// panics has calls that never return between its receive and its loop.
//
//go:noinline
func panics(p *pool, ids []int, at int) {
	for _, id := range ids {
		if id == at {
			panic(fmt.Sprint("found ", id))
		}
		p.sum += ids[id]
	}
	here("other", 0)
	if t, ok := <-p.work; ok == (t == nil) {
		panic(p.sum)
	}
}

func main() {
	ranges(full().work)
	selects(full())
	receives(full().work)
	_ = polls(full())
	hands(full(), nil)
	running.Add(4)
	startMethod(full())
	startRotated(full())
	startClosure(full())
	startInlined(full())
	alone(full().work)
	queue[task]{full().work}.drain(func(t task) { here("worker", 1) })
	generic(full().work, func(t task) { here("worker", 1) })
	numbers := make(chan int, 8)
	numbers <- 4
	numbers <- 1
	numbers <- 9
	jumps(numbers, full())
	get(full())
	_, _ = count(full().work)
	limits(full())
	once(full())
	behind(full(), 2)
	leaves([]*pool{nil, full()})
	panics(full(), []int{0, 1, 2}, 7)
	for _, run := range newer {
		run()
	}
	running.Wait()
}
