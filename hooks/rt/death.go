package rt

import (
	"sync/atomic"
	"unsafe"
)

// A signal that nobody wants ends the program inside the runtime, at the moment of its delivery (runtime.dieFromSignal). The link step
// puts a gate in front of that function, machine code that runs in the signal handler: see trampolines/contract.py, GateSpec. It does
// not let the signal through yet, it wakes a goroutine that does the last things first.

// death is 0 as long as nobody watches, then the process's id, and minus the signal when the program is ending by it.
var death int64

// deathNote is a runtime.note, on which the goroutine sleeps.
var deathNote uintptr

// atEnd is what OnExit was given last.
var atEnd unsafe.Pointer // *fatalFunc

// OnExit adds a function that is called before syscall.Exit ends the program, or a write to a standard output that nobody reads does, or a
// signal that WatchSignals watches for. Of several, the one that was added last is called first. A panic of f is recovered and counted.
//
//go:norace
func OnExit(f func()) { addFunc(&atEnd, f) }

// WatchSignals makes SIGHUP, SIGINT and SIGTERM wait for the functions of OnExit wherever one of them ends this process, whose id
// is pid. Whether it does is decided by the runtime as ever: signals that the program wants or ignores are not touched. A second such
// signal ends the program at once, by the first one. It reports whether that began now.
//
//go:norace
func WatchSignals(pid int) bool {
	if !isOn() || link.NoteSleep == nil || link.DieFromSignal == nil || !atomic.CompareAndSwapInt64(&death, 0, int64(pid)) {
		return false
	}
	go awaitDeath()
	return true
}

//go:norace
func awaitDeath() {
	link.NoteSleep(&deathNote, -1)
	atomic.StoreUint64(&undertaker, GoroutineID())
	callAll(&atEnd)
	link.DieFromSignal(uint32(-atomic.LoadInt64(&death)))
}

// undertaker is the goroutine that lets the program end by a signal, 0 as long as no signal has come or is about to.
var undertaker uint64

// Dying reports whether the program is about to end by a signal, which another goroutine sees to.
//
//go:norace
func Dying() bool {
	return atomic.LoadInt64(&death) < 0 && atomic.LoadUint64(&undertaker) != GoroutineID()
}

// LetDie is called by a goroutine that has done the last things already and is about to send a signal to this process, by which it
// ends: nothing holds the signal up then. It reports whether that was to be said; then MayLive takes it back.
//
//go:norace
func LetDie(sig int) bool {
	pid := atomic.LoadInt64(&death)
	if pid <= 0 || !atomic.CompareAndSwapInt64(&death, pid, -int64(sig)) {
		return false
	}
	atomic.StoreUint64(&undertaker, GoroutineID())
	return true
}

// MayLive takes LetDie back, if the program lives on.
//
//go:norace
func MayLive(pid, sig int) {
	if atomic.CompareAndSwapInt64(&death, -int64(sig), int64(pid)) {
		atomic.StoreUint64(&undertaker, 0)
	}
}

// SignalWanted reports whether the program has asked for a signal by package os/signal, and whether it ignores it by that package.
//
//go:norace
//go:nocheckptr
func SignalWanted(sig uint) (wanted, ignored bool) {
	if !isOn() || link.Signals == nil {
		return false, false
	}
	return signalBit(link.WantedOff, sig), signalBit(link.IgnoredOff, sig)
}

//go:norace
//go:nocheckptr
func signalBit(off uintptr, sig uint) bool {
	bits := (*uint32)(unsafe.Add(link.Signals, off+uintptr(sig/32)*4))
	return atomic.LoadUint32(bits)>>(sig%32)&1 != 0
}

// onExit is called at the entry of syscall.Exit(code int), which package runtime defines.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onExit(_ *Desc, _, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		callAll(&atEnd)
	}
	return false
}

// onSigpipe is called at the entry of os.sigpipe, which ends the program by SIGPIPE unless that is wanted or ignored.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onSigpipe(_ *Desc, _, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		beforeSigpipe()
	}
	return false
}

//go:norace
func beforeSigpipe() {
	if sigpipe == 0 {
		return // os.sigpipe does nothing
	}
	if wanted, ignored := SignalWanted(sigpipe); !wanted && !ignored && !Suppressed() { // an exporter cannot wait for itself
		callAll(&atEnd)
	}
}
