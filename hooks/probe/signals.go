package probe

import (
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/ends"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// SignalContext is what the hooks of functions that send signals need of the call they hook.
type SignalContext interface {
	SetData(data any)
	GetData() any
}

// signalsVariable asks for the file at signals from outside, too.
const signalsVariable = "OTELOBJ_PROBE_SIGNALS"

// watchSignals makes a signal from outside that ends the program wait until probes are written. Only if a variable asks for it: a goroutine waits
// for the signal, which shows, and the runtime does not report any more that all goroutines of the program wait for each other.
func watchSignals() {
	if environ.Get(outVariable) != "" && strings.EqualFold(strings.TrimSpace(environ.Get(signalsVariable)), "true") {
		rt.Suppress(func() { rt.WatchSignals(os.Getpid()) })
	}
}

// patience is how long a program is waited for that has sent itself a signal by which it ends.
const patience = time.Second

// letThrough is a signal that the program sends to itself, and that need not wait for probes any more.
type letThrough int

// BeforeKill runs before syscall.Kill(pid, sig) and that of golang.org/x/sys/unix: a program may end itself by it.
func BeforeKill(ictx SignalContext, pid int, sig syscall.Signal) {
	if !ends.Self(pid) || !ends.BySignal(sig, rt.SignalWanted) {
		return
	}
	Write()
	if ends.Asks(sig) && rt.LetDie(int(sig)) {
		ictx.SetData(letThrough(sig))
	}
}

// BeforeTgkill runs before syscall.Tgkill(tgid, tid, sig) and that of golang.org/x/sys/unix.
func BeforeTgkill(ictx SignalContext, tgid, _ int, sig syscall.Signal) {
	if tgid > 0 {
		BeforeKill(ictx, tgid, sig)
	}
}

// BeforeSignal runs before (*os.Process).signal(sig).
func BeforeSignal(ictx SignalContext, p *os.Process, sig os.Signal) {
	if s, ok := sig.(syscall.Signal); ok && p != nil && p.Pid > 0 {
		BeforeKill(ictx, p.Pid, s)
	}
}

// AfterKill runs when these have returned. If all went well there is no more than a moment left, unless the program lives on, which was not to be
// expected.
func AfterKill(ictx SignalContext, err error) {
	sig, ok := ictx.GetData().(letThrough)
	if !ok {
		return
	}
	if err == nil {
		time.Sleep(patience)
	}
	rt.MayLive(os.Getpid(), int(sig))
}

// BeforeExec runs before syscall.Exec, which puts another program in the place of this one.
func BeforeExec(HookContext, string, []string, []string) { Write() }
