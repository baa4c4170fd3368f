package sdk

import (
	"os"
	"syscall"
	"time"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/ends"
)

// A signal that nobody handles ends the program in the runtime, which leaves no time for a flush. We do not ask for such signals: the
// runtime itself knows, at the moment of delivery, whether the program wants one. Only where it does not, rt makes the end wait.

// watchSignals begins to watch, if that has not begun.
var watchSignals = func() { rt.WatchSignals(os.Getpid()) }

// BeforeProcess runs before os/signal.process(sig), which hands on a signal that the program wants. One that asks it to end may leave it some
// seconds, and others may be less patient: what is finished is exported at once.
func BeforeProcess(_ HookContext, sig os.Signal) {
	if s, ok := sig.(syscall.Signal); ok && ends.Asks(s) {
		exportSoon()
	}
}

// ownSignal is a signal that the program sends to itself, and by which it ends.
type ownSignal struct {
	number  int
	through bool // rt lets it through
}

// BeforeKill runs before syscall.Kill(pid, sig) and that of golang.org/x/sys/unix.
func BeforeKill(ictx HookContext, pid int, sig syscall.Signal) {
	if ends.Self(pid) {
		beforeOwn(ictx, sig)
	}
}

// BeforeTgkill runs before syscall.Tgkill(tgid, tid, sig) and that of golang.org/x/sys/unix. What ends a thread ends the process.
func BeforeTgkill(ictx HookContext, tgid, _ int, sig syscall.Signal) {
	if tgid > 0 && ends.Self(tgid) {
		beforeOwn(ictx, sig)
	}
}

// BeforeSignal runs before (*os.Process).signal(sig).
func BeforeSignal(ictx HookContext, p *os.Process, sig os.Signal) {
	if s, ok := sig.(syscall.Signal); ok && p != nil && p.Pid > 0 && ends.Self(p.Pid) {
		beforeOwn(ictx, s)
	}
}

func beforeOwn(ictx HookContext, sig syscall.Signal) {
	if !ends.BySignal(sig, rt.SignalWanted) || !atLast(openSpans.end) {
		return
	}
	ictx.SetData(ownSignal{int(sig), ends.Asks(sig) && rt.LetDie(int(sig))})
}

// AfterKill runs when these have returned. If all went well there is no more than a moment left, unless the program lives on, which was not to be
// expected.
func AfterKill(ictx HookContext, err error) {
	sig, ok := ictx.GetData().(ownSignal)
	if !ok {
		return
	}
	if err == nil {
		time.Sleep(patience)
	}
	if sig.through {
		rt.MayLive(os.Getpid(), sig.number)
	}
	goesOn()
}

// BeforeExec runs before syscall.Exec, which puts another program in the place of this one. Nobody knows whether it will succeed. If it cannot, open
// spans are left alone. If it can, copies of them are exported: should it fail all the same they are still open, and are exported when they end.
func BeforeExec(ictx HookContext, argv0 string, argv, envv []string) {
	if !ends.ByExec(argv0, argv, envv) {
		flush(timeout(), nil)
		return
	}
	ictx.SetData(atLast(openSpans.copy))
}

// AfterExec runs when it has failed.
func AfterExec(ictx HookContext, _ error) {
	if last, _ := ictx.GetData().(bool); last {
		goesOn()
	}
}
