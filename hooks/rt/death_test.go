package rt

import (
	"sync/atomic"
	"testing"
	"unsafe"
)

// TestDeath: the goroutine that sleeps on the note does the last things, the last one first, and lets the program end by the signal.
func TestDeath(t *testing.T) {
	newWorld(t)
	defer atomic.StoreInt64(&death, 0)
	defer atomic.StorePointer(&atEnd, nil)
	var l log
	signals, done := make(chan int64), make(chan uint32)
	if WatchSignals(77) {
		t.Error("watches in a program that has no gates")
	}
	link.NoteSleep = func(note *uintptr, ns int64) bool {
		if note != &deathNote || ns >= 0 {
			t.Errorf("sleeps on %p, %d", note, ns)
		}
		atomic.StoreInt64(&death, -<-signals)
		return true
	}
	link.DieFromSignal = func(sig uint32) { done <- sig }
	OnExit(func() { l.add("first") })
	OnExit(func() { l.add("second"); panic("in the function") })
	if !WatchSignals(77) || WatchSignals(78) || atomic.LoadInt64(&death) != 77 || Dying() {
		t.Errorf("death is %d", atomic.LoadInt64(&death))
	}
	signals <- 15
	if sig := <-done; sig != 15 {
		t.Errorf("died of %d", sig)
	}
	l.want(t, "second", "first")
}

// TestLetDie: a signal that the program sends itself is let through, once, and only where anybody watches.
func TestLetDie(t *testing.T) {
	newWorld(t)
	defer atomic.StoreInt64(&death, 0)
	if LetDie(2) || atomic.LoadInt64(&death) != 0 {
		t.Error("nobody watches")
	}
	atomic.StoreInt64(&death, 77)
	if !LetDie(2) || LetDie(15) || atomic.LoadInt64(&death) != -2 {
		t.Errorf("death is %d", atomic.LoadInt64(&death))
	}
	if Dying() {
		t.Error("this goroutine sees to the end itself, and must not wait for it")
	}
	MayLive(77, 15)
	if atomic.LoadInt64(&death) != -2 {
		t.Error("another signal came first")
	}
	MayLive(77, 2)
	if atomic.LoadInt64(&death) != 77 || atomic.LoadUint64(&undertaker) != 0 {
		t.Errorf("death is %d", atomic.LoadInt64(&death))
	}
}

func TestSignalWanted(t *testing.T) {
	newWorld(t)
	if wanted, ignored := SignalWanted(15); wanted || ignored {
		t.Error("in a program that was not linked by otelobj")
	}
	var bits struct {
		before          uint64
		wanted, ignored [3]uint32
	}
	link.Signals, link.WantedOff, link.IgnoredOff = unsafe.Pointer(&bits), 8, 20
	for sig := range uint(65) {
		bits.wanted, bits.ignored = [3]uint32{}, [3]uint32{}
		if wanted, ignored := SignalWanted(sig); wanted || ignored {
			t.Errorf("%d: %v %v", sig, wanted, ignored)
		}
		bits.wanted[sig/32] = 1 << (sig % 32)
		if wanted, ignored := SignalWanted(sig); !wanted || ignored {
			t.Errorf("%d: %v %v", sig, wanted, ignored)
		}
		bits.ignored[sig/32] = 1 << (sig % 32)
		if _, ignored := SignalWanted(sig); !ignored {
			t.Errorf("%d is not ignored", sig)
		}
	}
}
