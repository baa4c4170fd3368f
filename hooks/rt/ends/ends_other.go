//go:build !linux

// Package ends tells nothing where otelobj does not link programs.
package ends

import "syscall"

// Self is false.
func Self(int) bool { return false }

// BySignal is false.
func BySignal(syscall.Signal, func(uint) (wanted, ignored bool)) bool { return false }

// Asks is false.
func Asks(syscall.Signal) bool { return false }

// ByExec is false.
func ByExec(string, []string, []string) bool { return false }
