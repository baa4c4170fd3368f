package sdk

import (
	"context"
	"slices"
	"testing"
)

// custom is a provider of the program's that is no SDK's.
type custom struct{ _ []int }

func (*custom) ForceFlush(context.Context) error { return nil }

// bridged is what the bridge sets as the global provider.
type bridged struct{ theirs any }

func (b bridged) Theirs() any { return b.theirs }

func TestGlobalProvidersAreFollowed(t *testing.T) {
	before := slices.Clone(globals)
	t.Cleanup(func() { globals = before })
	set := &custom{}
	var global any = "no provider yet"
	FollowGlobal(func() any { return global })
	FollowGlobal(func() any { return bridged{set} })
	count := func() (n int) {
		for _, f := range pipelines() {
			if f == flusher(set) {
				n++
			}
		}
		return n
	}
	if n := count(); n != 1 {
		t.Error(n, "times, from behind the bridge")
	}
	global = set
	if n := count(); n != 1 {
		t.Error(n, "times, though it is one")
	}
}
