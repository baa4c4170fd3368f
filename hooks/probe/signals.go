package probe

import (
	"os"
	"syscall"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/ends"
)

// BeforeKill runs before syscall.Kill(pid, sig) and that of golang.org/x/sys/unix: a program may end itself by it.
func BeforeKill(_ HookContext, pid int, sig syscall.Signal) {
	if ends.Self(pid) && ends.BySignal(sig, rt.SignalWanted) {
		Write()
	}
}

// BeforeTgkill runs before syscall.Tgkill(tgid, tid, sig) and that of golang.org/x/sys/unix.
func BeforeTgkill(ctx HookContext, tgid, _ int, sig syscall.Signal) {
	if tgid > 0 {
		BeforeKill(ctx, tgid, sig)
	}
}

// BeforeSignal runs before (*os.Process).signal(sig).
func BeforeSignal(ctx HookContext, p *os.Process, sig os.Signal) {
	if s, ok := sig.(syscall.Signal); ok && p != nil && p.Pid > 0 {
		BeforeKill(ctx, p.Pid, s)
	}
}

// BeforeExec runs before syscall.Exec, which puts another program in the place of this one.
func BeforeExec(HookContext, string, []string, []string) { Write() }
