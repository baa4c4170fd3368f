package ends

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

func TestSelf(t *testing.T) {
	me, group := syscall.Getpid(), syscall.Getpgrp()
	for pid, want := range map[int]bool{me: true, 0: true, -group: true, -1: false, os.Getppid(): false, 1 << 29: false, -(1 << 29): false} {
		if Self(pid) != want {
			t.Errorf("%d: %v", pid, !want)
		}
	}
}

// TestBySignal: nobody wants any, unless that is said; then what package os/signal and the kernel do decides.
func TestBySignal(t *testing.T) {
	nobody := func(uint) (bool, bool) { return false, false }
	for sig, want := range map[syscall.Signal]bool{
		0: false, -1: false, 65: false, syscall.SIGKILL: true, syscall.SIGSTOP: false, syscall.SIGTERM: true, syscall.SIGQUIT: true, syscall.SIGABRT: true,
		syscall.SIGSEGV: true, syscall.SIGUSR1: false, syscall.SIGWINCH: false, syscall.SIGCHLD: false, syscall.SIGTSTP: false, syscall.SIGPIPE: false,
	} {
		if BySignal(sig, nobody) != want {
			t.Errorf("%v: %v", sig, !want)
		}
	}
	if BySignal(syscall.SIGTERM, func(sig uint) (bool, bool) { return sig == 15, false }) {
		t.Error("it is wanted")
	}
	if BySignal(syscall.SIGTERM, func(sig uint) (bool, bool) { return false, sig == 15 }) {
		t.Error("it is ignored")
	}
	signal.Ignore(syscall.SIGTERM) // in the kernel, too
	if BySignal(syscall.SIGTERM, nobody) {
		t.Error("the kernel ignores it")
	}
}

func TestByExec(t *testing.T) {
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{exe: true, plain: false, folder: false, filepath.Join(folder, "nothing"): false, "a\x00b": false} {
		if ByExec(path, nil, nil) != want {
			t.Errorf("%q: %v", path, !want)
		}
	}
	if ByExec(exe, []string{"a\x00"}, nil) || ByExec(exe, nil, []string{"A=\x00"}) {
		t.Error("arguments that no program can be given")
	}
}
