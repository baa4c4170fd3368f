//go:build unix

package sdk

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/otelobj/otelobj/hooks/rt"
)

// A signal that nobody handles ends the program in the runtime, which leaves no time for a flush. So we ask for these signals, too,
// flush when one comes, and let it do then what it does in the plain program: the signal's default action is restored and
// the signal is sent once more, so the program ends by it. A signal that the program itself asks for is none of our business.
//
// os/signal does not tell whether anybody else wants a signal: hooks on its functions do.

// deadly are the signals that end a Go program quietly.
var deadly = [...]os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM}

type signalSet uint8 // bit i: deadly[i]

// setOf returns the deadly ones among sigs; none means all, as everywhere in os/signal.
func setOf(sigs []os.Signal) signalSet {
	var set signalSet
	for i, s := range deadly {
		if len(sigs) == 0 || slices.Contains(sigs, s) {
			set |= 1 << i
		}
	}
	return set
}

func (set signalSet) each(f func(os.Signal)) {
	for i, s := range deadly {
		if set&(1<<i) != 0 {
			f(s)
		}
	}
}

var signals struct {
	sync.Mutex
	looked  bool
	ignored signalSet                      // by whoever started the program: it must stay so
	theirs  map[chan<- os.Signal]signalSet // what the program has asked for
	ours    chan os.Signal                 // nil unless we watch
	raise   func(os.Signal)                // what ends the program
}

// look notes, once and before anybody asks for a signal, which ones are ignored. The lock is held.
func look() {
	if signals.looked {
		return
	}
	signals.looked = true
	signals.theirs = make(map[chan<- os.Signal]signalSet)
	setOf(nil).each(func(s os.Signal) {
		if signal.Ignored(s) {
			signals.ignored |= setOf([]os.Signal{s})
		}
	})
}

// watchSignals begins to watch, if that has not begun.
func watchSignals() {
	signals.Lock()
	defer signals.Unlock()
	if signals.ours != nil {
		return
	}
	look()
	signals.ours = make(chan os.Signal, len(deadly))
	signals.raise = raise
	ask(setOf(nil))
	go waitForSignals(signals.ours)
}

// ask asks for signals that are not ignored. The lock is held.
func ask(set signalSet) {
	(set &^ signals.ignored).each(func(s os.Signal) {
		if !signal.Ignored(s) {
			signal.Notify(signals.ours, s)
		}
	})
}

// waitForSignals lets the program end by the first signal that is not the program's own; by the second one at once.
func waitForSignals(c <-chan os.Signal) {
	ending := false
	for s := range c {
		if wanted(s) {
			continue
		}
		if ending {
			signals.raise(s)
			continue
		}
		ending = true
		go func() {
			atExit()
			signals.raise(s)
		}()
	}
}

// wanted reports whether the program has asked for a signal.
func wanted(s os.Signal) bool {
	signals.Lock()
	defer signals.Unlock()
	set := setOf([]os.Signal{s})
	for _, theirs := range signals.theirs {
		if theirs&set != 0 {
			return true
		}
	}
	return false
}

// raise ends the program by a signal.
func raise(s os.Signal) {
	signal.Reset(s)
	if number, ok := s.(syscall.Signal); ok {
		_ = syscall.Kill(syscall.Getpid(), number)
	}
}

// BeforeNotify runs before os/signal.Notify(c, sig...).
func BeforeNotify(_ HookContext, c chan<- os.Signal, sig []os.Signal) {
	if c == nil {
		return // Notify panics
	}
	signals.Lock()
	defer signals.Unlock()
	look()
	if set := setOf(sig); set != 0 {
		signals.theirs[c] |= set
	}
}

// BeforeStop runs before os/signal.Stop(c).
func BeforeStop(_ HookContext, c chan<- os.Signal) {
	signals.Lock()
	defer signals.Unlock()
	delete(signals.theirs, c)
}

// BeforeCancel runs before os/signal.cancel(sigs, action), in which Reset and Ignore end: nobody gets these signals any more.
func BeforeCancel(ictx HookContext, sigs []os.Signal, _ func(int)) {
	set := setOf(sigs)
	ictx.SetData(set)
	signals.Lock()
	defer signals.Unlock()
	for c, theirs := range signals.theirs {
		signals.theirs[c] = theirs &^ set
	}
}

// AfterCancel runs when it has returned.
func AfterCancel(ictx HookContext) {
	set, ok := ictx.GetData().(signalSet)
	signals.Lock()
	defer signals.Unlock()
	if ok && signals.ours != nil {
		rt.Suppress(func() { ask(set) })
	}
}
