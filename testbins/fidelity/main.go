// Command fidelity shows itself: what its tracebacks, profiles and traces say of functions that may be hooked.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"sync"
	"time"
)

type tracer struct{ label string }

type pair struct{ left, right int }

type shared struct {
	mu sync.Mutex
	n  int
}

// theTracer is on the heap: a hook is not shown stack memory as interface{}.
var theTracer = new(tracer)

var sink []byte

// frames returns the callers as `function file:line`, this function first.
//
//go:noinline
func (t *tracer) frames(depth int) []string {
	if depth > 0 {
		return t.frames(depth - 1)
	}
	pcs := make([]uintptr, 64)
	walk := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	var out []string
	for {
		frame, more := walk.Next()
		out = append(out, fmt.Sprintf("%s %s:%d start %d", frame.Function, filepath.Base(frame.File), frame.Line, startLine(frame)))
		if !more {
			return out
		}
	}
}

func startLine(frame runtime.Frame) int {
	if frame.Func == nil {
		return 0
	}
	_, line := frame.Func.FileLine(frame.Func.Entry())
	return line
}

//go:noinline
func where(depth int) []string {
	for skip := 0; skip < 4; skip++ {
		pc, file, line, ok := runtime.Caller(skip)
		fmt.Println("caller", skip, runtime.FuncForPC(pc).Name(), filepath.Base(file), line, ok)
	}
	return theTracer.frames(depth)
}

//go:noinline
func generic[T any](value T, depth int) []string {
	return append(where(depth), fmt.Sprint(value))
}

//go:noinline
func closures() func(depth int) []string {
	label := "closure"
	return func(depth int) []string {
		defer func() { _ = recover() }()
		return append(where(depth), label)
	}
}

//go:noinline
func crash(n int, why string) int {
	if n == 0 {
		panic(why)
	}
	defer func() { sink = make([]byte, n) }()
	return crash(n-1, why) + len(why)
}

//go:noinline
func burn(rounds int) uint64 {
	sum := uint64(rounds)
	for i := 0; i < rounds; i++ {
		sum ^= sum << 13
		sum ^= sum >> 7
		sum ^= sum << 17
	}
	return sum + mix(rounds)
}

//go:noinline
func mix(n int) uint64 { return uint64(n) * 3 }

//go:noinline
func allocate(size int) []byte {
	block := make([]byte, size)
	block[0] = 1
	sink = make([]byte, 2*size)
	return block
}

//go:noinline
func (s *shared) contend(rounds int) {
	for i := 0; i < rounds; i++ {
		s.mu.Lock()
		s.n++
		time.Sleep(time.Millisecond)
		s.mu.Unlock()
	}
}

//go:noinline
func logEvents(ctx context.Context, message string) {
	trace.Log(ctx, "fidelity", message)
	trace.WithRegion(ctx, message, func() { runtime.Gosched() })
}

//go:noinline
func stopHere(label string, both pair, n int) (string, int) {
	sum := both.left + both.right
	sum *= n
	return label + fmt.Sprint(sum), sum
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func show(frames []string) { fmt.Println(strings.Join(frames, "\n")) }

func showWhere() {
	show(where(0))
	show(where(200))
	show(generic(7, 1))
	show(generic("seven", 1))
	show(closures()(1))
	show(reflect.ValueOf(where).Call([]reflect.Value{reflect.ValueOf(2)})[0].Interface().([]string))
	for _, fn := range []any{where, crash, burn, (*tracer).frames, (*shared).contend, closures()} {
		f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer())
		file, line := f.FileLine(f.Entry())
		fmt.Println("func", f.Name(), filepath.Base(file), line)
	}
	done := make(chan []string)
	go func() { done <- where(3) }()
	show(<-done)
	func() {
		defer func() { fmt.Println(recover(), string(debug.Stack())) }()
		crash(3, "stopped")
	}()
}

func profile(folder string) {
	runtime.MemProfileRate = 1
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	cpu, err := os.Create(filepath.Join(folder, "cpu"))
	check(err)
	check(pprof.StartCPUProfile(cpu))
	for i := 0; i < 60; i++ {
		sink[0] += byte(burn(5_000_000))
	}
	pprof.StopCPUProfile()
	check(cpu.Close())
	for i := 0; i < 50; i++ {
		allocate(1000)
	}
	var wait sync.WaitGroup
	s := new(shared)
	for i := 0; i < 4; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			s.contend(10)
		}()
	}
	wait.Wait()
	for _, name := range []string{"allocs", "mutex", "block"} {
		out, err := os.Create(filepath.Join(folder, name))
		check(err)
		check(pprof.Lookup(name).WriteTo(out, 0))
		check(out.Close())
	}
}

func traced(file string) {
	out, err := os.Create(file)
	check(err)
	check(trace.Start(out))
	for i := 0; i < 5; i++ {
		logEvents(context.Background(), fmt.Sprint("event", i))
	}
	trace.Stop()
	check(out.Close())
}

func main() {
	sink = make([]byte, 1)
	switch os.Args[1] {
	case "where":
		showWhere()
	case "crash":
		crash(3, "no way out")
	case "profile":
		profile(os.Args[2])
	case "trace":
		traced(os.Args[2])
	case "stop":
		for i := 1; i <= 3; i++ {
			text, sum := stopHere("sum", pair{i, 2}, 10*i)
			fmt.Println(text, sum)
		}
	}
}
