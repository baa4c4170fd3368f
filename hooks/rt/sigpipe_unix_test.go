//go:build unix

package rt

import (
	"syscall"
	"testing"
)

func TestSigpipe(t *testing.T) {
	if sigpipe != int(syscall.SIGPIPE) {
		t.Errorf("%d, not %d", sigpipe, syscall.SIGPIPE)
	}
}
