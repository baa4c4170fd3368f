// Storm runs many requests on many goroutines, which panic, exit and are cancelled at random, and checks that every span ends and has
// the parent it must have. Nobody passes a context but where a span is meant to win over the goroutine's.
//
// A span's name is "id<parent": who it is, and whose child it must be; nothing behind the sign: it must be a root; a question mark: a root, or
// a child of anything in the same request.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// checker is the span processor that looks at every span.
type checker struct{ started, ended, wrong atomic.Int64 }

func (c *checker) OnStart(ctx context.Context, s sdktrace.ReadWriteSpan) {
	c.started.Add(1)
	own, want, _ := strings.Cut(s.Name(), "<")
	got := ""
	if p, ok := trace.SpanFromContext(ctx).(sdktrace.ReadOnlySpan); ok && s.Parent().IsValid() {
		got, _, _ = strings.Cut(p.Name(), "<")
	}
	if want == "?" && (got == "" || of(got) == of(own)) {
		return
	}
	if got != want && c.wrong.Add(1) <= 10 {
		fmt.Printf("span %s has parent %q\n", s.Name(), got)
	}
}

// of returns the request that an ID belongs to.
func of(id string) string {
	request, _, _ := strings.Cut(id, ".")
	return request
}

func (c *checker) OnEnd(sdktrace.ReadOnlySpan)      { c.ended.Add(1) }
func (c *checker) Shutdown(context.Context) error   { return nil }
func (c *checker) ForceFlush(context.Context) error { return nil }

var (
	none   = context.Background()
	tracer = otel.Tracer("storm")
	errOwn = errors.New("a panic of its own")
)

// task is a request under way.
type task struct {
	*rand.Rand
	*used
	mayExit bool
	late    sync.WaitGroup
	release chan bool
}

//go:noinline
func leaf(id, parent string) int { return len(id) + strings.Count(parent, ".") }

//go:noinline
func step(id, parent string, t *task, depth int) int {
	n := leaf(id+".a", id)
	if depth > 0 {
		n += step(id+".s", id, t, depth-1)
	}
	switch t.IntN(8) {
	case 0:
		panic(errOwn)
	case 1:
		var p *task
		n += p.IntN(3)
	}
	return n + leaf(id+".b", id)
}

//go:noinline
func request(id, parent string, t *task) {
	for i := range 1 + t.IntN(4) {
		act(id+"."+strconv.Itoa(i), id, t)
	}
	switch t.IntN(6) {
	case 0:
		panic(id)
	case 1:
		if t.mayExit {
			runtime.Goexit()
		}
	}
	leaf(id+".z", id)
}

func act(id, parent string, t *task) {
	switch t.IntN(9) {
	case 0:
		recovered(id, parent, t)
		leaf(id+".c", parent)
	case 1:
		byHand(id, parent)
	case 2: // a goroutine within the request
		done := make(chan bool)
		go func() {
			defer close(done)
			leaf(id, parent)
			recovered(id+".g", parent, t)
		}()
		<-done
	case 3: // one that is still there when the request is over
		if !t.mayExit {
			t.late.Add(1)
			go func() {
				defer t.late.Done()
				<-t.release
				leaf(id, "")
			}()
		}
	case 4:
		explicit(id, parent)
	case 5: // a deferred call that panics and recovers while another panic is under way
		func() {
			defer func() { recover() }()
			defer recovered(id, parent, t)
			panic(id)
		}()
		leaf(id+".d", parent)
	case 6:
		leaf(id, parent)
		runtime.Gosched()
	case 7:
		inPool(t.used, id, parent)
	case 8:
		inOwnPool(t.used, id)
	}
}

// recovered calls step, from deeper on the stack than what follows it.
func recovered(id, parent string, t *task) {
	defer func() { recover() }()
	var pad [512]byte
	pad[t.IntN(len(pad))] = byte(step(id, parent, t, t.IntN(3)))
	runtime.KeepAlive(&pad)
}

// byHand makes spans that overlap.
func byHand(id, parent string) {
	_, a := tracer.Start(none, id+".h<"+parent)
	_, b := tracer.Start(none, id+".i<"+id+".h")
	leaf(id+".j", id+".i")
	a.End()
	leaf(id+".k", id+".i")
	b.End()
	leaf(id+".l", parent)
}

// explicit has a cancelled context with a span that wins.
func explicit(id, parent string) {
	ctx, cancel := context.WithCancel(none)
	ctx, a := tracer.Start(ctx, id+".x<"+parent)
	cancel()
	<-ctx.Done()
	_, b := tracer.Start(none, id+".y<"+id+".x")
	_, c := tracer.Start(ctx, id+".w<"+id+".x")
	leaf(id+".v", id+".w")
	c.End()
	b.End()
	a.End()
}

// serve runs one request to its end, whatever that is.
func serve(u *used, id string, seed uint64) {
	t := &task{used: u, Rand: rand.New(rand.NewPCG(seed, 1)), release: make(chan bool)}
	t.mayExit = t.IntN(4) == 0
	if t.mayExit {
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() { recover() }()
			request(id, "", t)
		}()
		<-done
	} else {
		func() {
			defer func() { recover() }()
			request(id, "", t)
		}()
	}
	close(t.release)
	t.late.Wait()
}

func storm(goroutines, requests int, round uint64) {
	u := &used{pool: newPool()}
	defer u.close()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for r := range requests {
				serve(u, strconv.Itoa(g)+"/"+strconv.Itoa(r), round<<40|uint64(g)<<20|uint64(r))
			}
		}()
	}
	wg.Wait()
}

// calm is at how many looks in a row nothing is under way. One is not enough: NumGoroutine reads several counters that change meanwhile, and a
// goroutine that comes and goes between two of them hides another one.
const calm = 20

// settled waits until goroutines that exit have ended their spans, and returns the heap that is left.
func settled(c *checker, goroutines int) uint64 {
	for looks, quiet := 0, 0; looks < 300_000 && quiet < calm; looks++ {
		if c.started.Load() == c.ended.Load() && runtime.NumGoroutine() <= goroutines {
			quiet++
		} else {
			quiet = 0
		}
		time.Sleep(time.Millisecond)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func main() {
	goroutines, _ := strconv.Atoi(os.Args[1])
	requests, _ := strconv.Atoi(os.Args[2])
	c := &checker{}
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(c), sdktrace.WithIDGenerator(&numbered{})))
	tracer = otel.Tracer("storm")
	before := runtime.NumGoroutine()
	storm(goroutines, (requests+1)/2, 1)
	first := settled(c, before)
	storm(goroutines, requests/2, 2)
	second := settled(c, before)
	fmt.Printf("spans %d open %d wrong %d goroutines %d\n", c.started.Load(), c.started.Load()-c.ended.Load(), c.wrong.Load(), runtime.NumGoroutine()-before)
	if second > first+first/4+1<<20 {
		fmt.Printf("grown from %d to %d bytes\n", first, second)
	}
	if len(os.Args) > 3 {
		fmt.Println("heap", first, second)
	}
}
