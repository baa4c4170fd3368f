// Package sup is what every random program stands on: fuel, so that it ends; a checksum of all that it computes; ways to panic, to recover
// and to look at its own stack whose outcome is determined.
//
// A T belongs to one goroutine at a time. Others get one of their own by Fork, and Join adds it up in an order that the program chooses.
package sup

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// T is one task: its fuel, and the checksum of what it has computed.
type T struct {
	fuel  int
	sum   uint64
	Ints  [4]int
	Words [2]string
}

// New returns a task with fuel for so many calls and turns of loops.
func New(fuel int) *T { return &T{fuel: fuel, sum: 14695981039346656037} }

// Go burns fuel; false: none is left, and the caller returns.
func (t *T) Go() bool {
	t.fuel--
	return t.fuel > 0
}

// Fork returns a task for another goroutine, with a third of the fuel.
func (t *T) Fork() *T {
	c := New(t.fuel / 3)
	t.fuel -= t.fuel / 3
	return c
}

// Join adds what a finished task has computed.
func (t *T) Join(c *T) { t.Mix(c.sum) }

// Mix adds a number to the checksum.
func (t *T) Mix(x uint64) {
	t.sum = (t.sum ^ x) * 0x9E3779B97F4A7C15
	t.sum ^= t.sum >> 29
}

// Str adds a text.
//
//go:noinline
func (t *T) Str(s string) {
	t.Mix(uint64(len(s)))
	for i := 0; i < len(s); i++ {
		t.sum = (t.sum ^ uint64(s[i])) * 1099511628211
	}
}

// Bool adds a truth value.
func (t *T) Bool(b bool) {
	if b {
		t.Mix(1)
	} else {
		t.Mix(2)
	}
}

// Float adds a number to the bit; all NaNs are one.
func (t *T) Float(f float64) {
	if f != f {
		t.Mix(3)
		return
	}
	t.Mix(math.Float64bits(f))
}

// Complex adds both parts.
func (t *T) Complex(c complex128) {
	t.Float(real(c))
	t.Float(imag(c))
}

// Any adds a value of whatever type, through reflection.
func (t *T) Any(x any) {
	switch x := x.(type) {
	case nil:
		t.Mix(4)
	case error:
		t.Str(x.Error())
	default:
		t.value(reflect.ValueOf(x), 6)
	}
}

func (t *T) value(v reflect.Value, depth int) {
	t.Mix(uint64(v.Kind()))
	if depth == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		t.Bool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		t.Mix(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		t.Mix(v.Uint())
	case reflect.Float32, reflect.Float64:
		t.Float(v.Float())
	case reflect.Complex64, reflect.Complex128:
		t.Complex(v.Complex())
	case reflect.String:
		t.Str(v.String())
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			t.value(v.Index(i), depth-1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			t.value(v.Field(i), depth-1)
		}
	case reflect.Pointer, reflect.Interface:
		if v.Type() != reflect.TypeOf(t) && !v.IsNil() {
			t.value(v.Elem(), depth-1)
		}
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
		for _, key := range keys {
			t.value(key, depth-1)
			t.value(v.MapIndex(key), depth-1)
		}
	case reflect.Chan:
		t.Mix(uint64(v.Len()))
	}
}

// V returns its argument, so that no expression is constant.
func V[E any](x E) E { return x }

// Integer is any integer type.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// Ix brings a number into the range of an index, where there is one.
func Ix[I Integer](i I, n int) int {
	if n == 0 {
		return 0
	}
	return int(uint64(i) % uint64(n))
}

// NZ returns a number that is not zero.
func NZ[I Integer](x I) I {
	if x == 0 {
		return 7
	}
	return x
}

// Cut keeps texts short.
func Cut(s string) string {
	if len(s) > 40 {
		return s[:40]
	}
	return s
}

// Lim keeps slices short.
func Lim[S ~[]E, E any](s S) S {
	if len(s) > 8 {
		return s[:8:8]
	}
	return s
}

// Caught notes a panic that was recovered, or that there was none.
//
//go:noinline
func (t *T) Caught(r any) {
	if r == nil {
		t.Mix(5)
		return
	}
	t.Str(Text(r))
}

// Catch recovers, as a deferred method.
func (t *T) Catch() { t.Caught(recover()) }

// Catcher is Catch behind an interface.
type Catcher interface{ Catch() }

// Holder has Catch by promotion: the method that is deferred is a wrapper of the compiler's.
type Holder struct {
	N int
	*T
}

// Deeper calls recover one call too deep, so that it returns nil.
func (t *T) Deeper() { t.Catch() }

// Text describes a panic value.
func Text(r any) string {
	switch r := r.(type) {
	case runtime.Error:
		return "runtime: " + r.Error()
	case error:
		return "error: " + r.Error()
	}
	return fmt.Sprintf("%T: %v", r, r)
}

// Trace adds the functions and lines of the stack.
//
//go:noinline
func (t *T) Trace(most int) {
	pcs := make([]uintptr, most)
	n := runtime.Callers(1, pcs)
	frames := runtime.CallersFrames(pcs[:n])
	for {
		f, more := frames.Next()
		t.Str(f.Function)
		t.Mix(uint64(f.Line))
		if !more {
			return
		}
	}
}

// Stack adds the functions of a traceback in text form.
//
//go:noinline
func (t *T) Stack() {
	buf := make([]byte, 16<<10)
	lines := strings.Split(string(buf[:runtime.Stack(buf, false)]), "\n")
	for i, line := range lines[1:min(len(lines), 25)] {
		if i%2 == 0 {
			if at := strings.LastIndexByte(line, '('); at > 0 {
				line = line[:at]
			}
			if strings.HasPrefix(line, "created by") {
				line = strings.Fields(line)[2]
			}
			t.Str(line)
		}
	}
}

// Where adds the place that runtime.Caller names.
func (t *T) Where(skip int) {
	pc, _, line, ok := runtime.Caller(skip)
	t.Bool(ok)
	t.Mix(uint64(line))
	if f := runtime.FuncForPC(pc); f != nil {
		t.Str(f.Name())
	}
}

// E is an error type that is a pointer when it is used as one.
type E struct{ Code int }

func (e *E) Error() string { return fmt.Sprintf("E%d", e.Code) }

// Err makes an error that wraps others.
func Err(n int) error {
	switch n % 4 {
	case 0:
		return &E{n}
	case 1:
		return fmt.Errorf("outer %d: %w", n, &E{n + 1})
	case 2:
		return io.ErrUnexpectedEOF
	}
	return errors.Join(&E{n}, errors.New("other"))
}

// Code looks for an E.
func Code(err error) int {
	var e *E
	if errors.As(err, &e) {
		return e.Code
	}
	return -1
}

// Deep recurses with a frame of some size and hands a pointer to its own stack down.
//
//go:noinline
func (t *T) Deep(n int, p *uint64) uint64 {
	var room [24]uint64
	room[n%24] = *p + uint64(n)
	*p ^= room[n%24] << (n % 8)
	if n <= 0 {
		return *p
	}
	return t.Deep(n-1, &room[n%24])*31 + *p
}

// Call calls a function through reflection; its results are boxed.
func Call(f any, args ...any) []any {
	v := reflect.ValueOf(f)
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		if arg == nil {
			in[i] = reflect.Zero(v.Type().In(i))
		} else {
			in[i] = reflect.ValueOf(arg)
		}
	}
	var out []any
	for _, r := range v.Call(in) {
		out = append(out, r.Interface())
	}
	return out
}

// Made returns a function of F's type that calls f through reflect.MakeFunc.
func Made[F any](t *T, f F) F {
	v := reflect.ValueOf(f)
	if v.IsNil() {
		return f
	}
	made := reflect.MakeFunc(v.Type(), func(args []reflect.Value) []reflect.Value {
		t.Mix(uint64(len(args)))
		return v.Call(args)
	})
	return made.Interface().(F)
}

// Lookup calls a method by its name.
func Lookup(x any, name string, args ...any) []any {
	m := reflect.ValueOf(x).MethodByName(name)
	if !m.IsValid() {
		return nil
	}
	return Call(m.Interface(), args...)
}

// Seq yields while there is fuel.
func Seq(t *T, n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		defer t.Mix(6)
		for i := 0; i < n && t.Go(); i++ {
			if !yield(i) {
				t.Mix(7)
				return
			}
		}
	}
}

// Seq2 yields the elements of a slice.
func Seq2[E any](t *T, s []E) func(yield func(int, E) bool) {
	return func(yield func(int, E) bool) {
		for i, e := range s {
			if !t.Go() || !yield(i, e) {
				return
			}
		}
	}
}

// Run calls f several times, each time with new fuel, and prints what came of it. With apart, it runs on goroutines of its own, with small stacks.
func Run(name string, fuel, times int, apart bool, f func(t *T)) {
	t := New(fuel)
	for range times {
		t.fuel = fuel
		if apart {
			var wait sync.WaitGroup
			wait.Add(1)
			go func() {
				defer wait.Done()
				t.Str(once(t, f))
			}()
			wait.Wait()
		} else {
			t.Str(once(t, f))
		}
	}
	fmt.Fprintf(os.Stdout, "%s %016x %s\n", name, t.sum, once(t, f))
}

// once calls f and tells how that ended.
func once(t *T, f func(t *T)) (end string) {
	end = "exited"
	defer func() {
		if r := recover(); r != nil {
			end = "panicked: " + Text(r)
		}
	}()
	f(t)
	return "returned"
}

// Ref returns a pointer to a copy.
func Ref[E any](x E) *E { return &x }

// Tail returns a slice without its first element.
func Tail[S ~[]E, E any](s S) S {
	if len(s) < 2 {
		return s
	}
	return s[1:]
}

// Filled puts a value into a channel that has room.
func Filled[E any](c chan E, x E) chan E {
	select {
	case c <- x:
	default:
	}
	return c
}

// Taken takes a value out of a channel that holds one.
func Taken[E any](c chan E) (x E, ok bool) {
	select {
	case x, ok = <-c:
	default:
	}
	return
}

// Pick returns one of two values.
func Pick[E any](t *T, a, b E) E {
	if t.sum&1 == 0 {
		return a
	}
	return b
}

// Keys returns the keys of a map in order.
func Keys[K int | string, E any](m map[K]E) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
	return keys
}

// Await collects garbage until something has come out of a channel.
func Await(c chan int) int {
	for {
		runtime.GC()
		select {
		case n := <-c:
			return n
		case <-time.After(time.Millisecond):
		}
	}
}

// Piped writes a text to a pipe and reads it back: buffers whose addresses are numbers in a call, as package unsafe allows.
func Piped(s string) string { return PipedBytes([]byte(Cut(s))) }

// PipedBytes is Piped; the bytes may lie on the caller's stack.
func PipedBytes(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	var ends [2]int32
	if _, _, errno := syscall.Syscall(syscall.SYS_PIPE2, uintptr(unsafe.Pointer(&ends)), 0, 0); errno != 0 {
		panic(errno)
	}
	defer syscall.Close(int(ends[0]))
	defer syscall.Close(int(ends[1]))
	n, _, errno := syscall.Syscall(syscall.SYS_WRITE, uintptr(ends[1]), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		panic(errno)
	}
	var back [64]byte
	m, _, errno := syscall.Syscall(syscall.SYS_READ, uintptr(ends[0]), uintptr(unsafe.Pointer(&back)), uintptr(len(back)))
	if errno != 0 || n != m {
		panic(errno)
	}
	return string(back[:m])
}
