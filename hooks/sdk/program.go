//go:build otelobj_program

package sdk

import (
	"context"
	"sync"
)

// A program that was built with OTELOBJ_SDK=program has no SDK but its own: what instrumentations make goes to the providers that the program sets, by the
// bridge, and before that nowhere. Runtime metrics are not made: programs with an SDK make them themselves, and two of them in one provider would be added up.

// BeforeRuntimeStart runs before the program starts metrics of the Go runtime. There are none of ours that would double them.
func BeforeRuntimeStart(HookContext, interface{}) {}

// hasSDK says whether this program has one of ours, which variables configure.
const hasSDK = false

// setup makes nothing.
func setup(context.Context) []flusher { return nil }

const (
	destination = "the providers that the program sets (built with OTELOBJ_SDK=program)"
	unset       = "the program has set no provider, and was built without otelobj's SDK (OTELOBJ_SDK=program): nothing that instrumentations made is exported"
)

// destinations says where signals go.
func destinations([]flusher) []string { return []string{"traces and metrics: " + destination} }

var unsetOnce sync.Once

// sayIfUnset says at the end of the program that it has set no provider.
func sayIfUnset() {
	for _, provider := range globals {
		if b, ok := provider().(interface{ Theirs() any }); ok && b.Theirs() != nil {
			return
		}
	}
	unsetOnce.Do(func() { say(levelInfo, unset) })
}
