package rt

import (
	"slices"
	"testing"
	"unsafe"
)

// seen asks about everything until it is to stop.
func seen(stop string) (names []string, found string) {
	p := Search(func(p unsafe.Pointer) bool {
		name := (*thing)(p).name
		names = append(names, name)
		return name == stop
	})
	if p != nil {
		found = (*thing)(p).name
	}
	return names, found
}

func wantSeen(t *testing.T, when, stop, found string, want ...string) {
	t.Helper()
	if names, got := seen(stop); !slices.Equal(names, want) || got != found {
		t.Errorf("%s: asked about %v, found %q, want %v, %q", when, names, got, want, found)
	}
}

func TestSearch(t *testing.T) {
	w := newWorld(t)
	wantSeen(t, "at first", "", "")
	a, _ := enterValue("a")
	_, b := enterValue("b")
	c, _ := enterValue("c")
	wantSeen(t, "no answer", "", "", "c", "b", "a")
	wantSeen(t, "the second", "b", "b", "c", "b")
	b.closed = true // which the caller has to judge: nothing is left by that
	wantSeen(t, "over, but not left", "", "", "c", "b", "a")
	child := w.start(7)
	w.as(child, func() {
		wantSeen(t, "a goroutine has the innermost one", "", "", "c")
		d, _ := enterValue("d")
		wantSeen(t, "beside its own", "c", "c", "d", "c")
		c.Leave()
		wantSeen(t, "as long as that is current", "", "", "d")
		d.Leave()
		Suppress(func() { wantSeen(t, "suppressed", "", "") })
	})
	alone := EnterAlone(unsafe.Pointer(&thing{name: "alone"}))
	w.as(w.start(8), func() { wantSeen(t, "not handed on", "", "") })
	alone.Leave()
	a.Leave()
	wantSeen(t, "all left", "", "")
}
