package logs

import (
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"

	"github.com/otelobj/otelobj/hooks/rt"
)

// Writing is a record that a logger of the program is writing, on this goroutine. A logger often writes by means of another one, as slog's default handler
// does by means of package log: what that one writes is the same record, not a second one. And a program may send the record itself, by one of
// OpenTelemetry's bridges among its handlers: then ours is not sent.
type Writing struct {
	goroutine uint64
	bridged   bool
}

const shards = 64

// writings are those of all goroutines, by goroutine; those of one goroutine in the order in which they began.
var writings [shards]struct {
	sync.Mutex
	list []*Writing
}

// Begin says that a record is being written on this goroutine, until End.
func (w *Writing) Begin() {
	w.goroutine = rt.GoroutineID()
	s := &writings[w.goroutine%shards]
	s.Lock()
	defer s.Unlock()
	s.list = append(s.list, w)
}

// End reports whether the program has sent the record itself.
func (w *Writing) End() (bridged bool) {
	s := &writings[w.goroutine%shards]
	s.Lock()
	defer s.Unlock()
	for i := len(s.list) - 1; i >= 0; i-- {
		if s.list[i] == w {
			last := len(s.list) - 1
			copy(s.list[i:], s.list[i+1:])
			s.list[last] = nil
			s.list = s.list[:last]
			break
		}
	}
	return w.bridged
}

// IsWriting reports whether a record is being written on this goroutine.
func IsWriting() bool {
	id := rt.GoroutineID()
	s := &writings[id%shards]
	s.Lock()
	defer s.Unlock()
	for _, w := range s.list {
		if w.goroutine == id {
			return true
		}
	}
	return false
}

// Bridged says that the program has sent what is being written on this goroutine.
func Bridged() {
	id := rt.GoroutineID()
	s := &writings[id%shards]
	s.Lock()
	defer s.Unlock()
	for _, w := range s.list {
		if w.goroutine == id {
			w.bridged = true
		}
	}
}

// loggerWriters are writers whose lines a logger makes records of, of types that do not say so. They are known by their address, and not kept alive: a
// finalizer closes those that the program has forgotten.
var loggerWriters sync.Map // uintptr to weak.Pointer[io.PipeWriter]

const maxLoggerWriters = 100

var nLoggerWriters atomic.Int32

// AddLoggerWriter says that a logger makes records of what is written to w.
func AddLoggerWriter(w *io.PipeWriter) {
	if nLoggerWriters.Add(1) > maxLoggerWriters {
		nLoggerWriters.Add(-1)
		return
	}
	key, is := uintptr(unsafe.Pointer(w)), weak.Make(w)
	loggerWriters.Store(key, is)
	runtime.AddCleanup(w, func(is weak.Pointer[io.PipeWriter]) {
		loggerWriters.CompareAndDelete(key, is)
		nLoggerWriters.Add(-1)
	}, is)
}

// IsLoggerWriter reports whether AddLoggerWriter was called for w.
func IsLoggerWriter(w io.Writer) bool {
	p, ok := w.(*io.PipeWriter)
	if !ok || nLoggerWriters.Load() == 0 {
		return false
	}
	is, ok := loggerWriters.Load(uintptr(unsafe.Pointer(p)))
	return ok && is.(weak.Pointer[io.PipeWriter]).Value() == p
}
