package active

import (
	"testing"
	"unsafe"

	"go.opentelemetry.io/otel/trace"
)

// What another copy has put into rt is passed by: its spans are of another API.
func TestValuesOfAnotherCopy(t *testing.T) {
	type held struct {
		by   *byte
		rest [8]*byte
	}
	other := new(byte)
	foreign := &held{by: other}
	for i := range foreign.rest {
		foreign.rest[i] = other
	}
	if p := unsafe.Pointer(foreign); own(p) != nil || isOpen(p) || isOf(p, trace.SpanID{}) {
		t.Error("it is taken for one of ours")
	}
}
