//go:build !unix

package rt

// sigpipe is 0: no program ends by SIGPIPE here (runtime/os_wasm.go, os_sigpipe).
const sigpipe = 0
