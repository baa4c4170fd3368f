// Package ends tells beforehand whether a signal that a program sends, or another program that it puts in its own place, ends it. It is for hooks
// that have last things to do, and uses nothing but system calls.
package ends

import (
	"strings"
	"syscall"
	"unsafe"
)

// Self reports whether kill(pid, …) reaches the process that calls it (kill(2): -1 means every process but this one).
func Self(pid int) bool {
	switch {
	case pid > 0:
		return pid == syscall.Getpid()
	case pid == 0:
		return true
	default:
		return pid != -1 && -pid == syscall.Getpgrp()
	}
}

// Handlers of signals that are none, as the kernel has them.
const (
	sigDefault = 0
	sigIgnore  = 1
)

// sigaction is the kernel's struct, as far as it is needed: the handler comes first, on amd64 and arm64.
type sigaction struct {
	handler uintptr
	rest    [7]uint64
}

// setSize is the size of the kernel's sigset_t.
const setSize = 8

// handler returns what the kernel calls when a signal is delivered.
func handler(sig syscall.Signal) (uintptr, bool) {
	var action sigaction
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&action)), setSize, 0, 0)
	return action.handler, errno == 0
}

// BySignal reports whether the process ends by a signal that it is sent now. wanted tells what package os/signal has been asked for. What a
// handler in C does nobody knows: it is taken for one that goes on.
func BySignal(sig syscall.Signal, wanted func(sig uint) (wanted, ignored bool)) bool {
	if sig <= 0 || sig > 64 {
		return false
	}
	does, ok := handler(sig)
	switch {
	case !ok || sig == syscall.SIGKILL || sig == syscall.SIGSTOP:
		return sig == syscall.SIGKILL
	case does == sigDefault:
		return !survived(sig)
	case does == sigIgnore:
		return false
	}
	if gos, ok := handler(syscall.SIGURG); !ok || does != gos { // which the runtime needs for itself
		return false
	}
	asked, ignored := wanted(uint(sig))
	return !asked && !ignored && fatal(sig)
}

// Asks reports whether a signal asks a program to end, and ends it quietly if the program does not want it. Signal gates hold these signals
// up, and no others, once rt.WatchSignals was called (GateSpec in objinst/platform/linux.py).
func Asks(sig syscall.Signal) bool {
	return sig == syscall.SIGHUP || sig == syscall.SIGINT || sig == syscall.SIGTERM
}

// survived reports whether the default action is to go on, or to stop for a while (signal(7)).
func survived(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGURG, syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
		return true
	}
	return false
}

// fatal reports whether the runtime's own handler ends the program where nobody wants the signal (package os/signal, "Default behavior
// of signals in Go programs"; runtime/sigtab_linux_generic.go: _SigKill, _SigThrow, and _SigPanic, which throws when the signal was sent).
func fatal(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGSTKFLT, syscall.SIGSYS,
		syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV:
		return true
	}
	return Asks(sig)
}

const executable = 1 // X_OK

// ByExec reports whether syscall.Exec is likely to succeed: what it can be refused for at first sight is looked at, no more.
func ByExec(path string, argv, envv []string) bool {
	for _, list := range [][]string{{path}, argv, envv} {
		for _, text := range list {
			if strings.IndexByte(text, 0) >= 0 {
				return false
			}
		}
	}
	var info syscall.Stat_t
	return syscall.Stat(path, &info) == nil && info.Mode&syscall.S_IFMT == syscall.S_IFREG && syscall.Access(path, executable) == nil
}
