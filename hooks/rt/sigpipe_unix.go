//go:build unix

package rt

// sigpipe is syscall.SIGPIPE, which has the same number on every Unix. The package cannot import syscall, which has hooks.
const sigpipe = 13
