package rt

import (
	"math/rand"
	"testing"
	"unsafe"
)

// A model of the records, driven at random beside the real thing: a list of distances, closed as the contract says.
func TestRandomWalk(t *testing.T) {
	w := newWorld(t)
	type event struct {
		dist    int
		unwound bool
	}
	var closed, want []event
	distOf := map[*Call]int{}
	cur := 0
	d := desc("main.f", hook("f",
		func(c *Call, _, _, _ unsafe.Pointer) { distOf[c] = cur },
		func(c *Call, _, _, _ unsafe.Pointer) {
			_, _, ok := c.Unwound()
			closed = append(closed, event{distOf[c], ok})
		}))
	var model []int
	closeFrom := func(dist int) {
		for len(model) > 0 && model[len(model)-1] >= dist {
			want = append(want, event{model[len(model)-1], true})
			model = model[:len(model)-1]
		}
	}
	rng := rand.New(rand.NewSource(1))
	for i := 0; i < 20000; i++ {
		cur = 512 + 8*rng.Intn(60)
		switch op := rng.Intn(10); {
		case op < 5:
			closeFrom(cur)
			model = append(model, cur)
			w.enter(d, cur)
		case op < 8:
			if n := len(model); n > 0 && op == 7 {
				cur = model[rng.Intn(n)]
			}
			// Below the top, the stub does not call.
			if len(model) > 0 && model[len(model)-1] >= cur {
				closeFrom(cur + 1)
				if n := len(model); n > 0 && model[n-1] == cur {
					want = append(want, event{cur, false})
					model = model[:n-1]
				}
				exit(d, w.at(4096), w.at(cur), unsafe.Pointer(w.g))
			}
		case op == 8:
			closeFrom(cur)
			w.panic(cur, i)
		default:
			if rng.Intn(20) == 0 {
				closeFrom(0)
				w.end()
			}
		}
		top := 0
		if len(model) > 0 {
			top = model[len(model)-1]
		}
		if got := max(w.top(), 0); got != top {
			t.Fatalf("step %d: top %d, want %d", i, got, top)
		}
		if len(closed) != len(want) {
			t.Fatalf("step %d: closed %d records, want %d", i, len(closed), len(want))
		}
	}
	for i := range want {
		if closed[i] != want[i] {
			t.Fatalf("event %d: %v, want %v", i, closed[i], want[i])
		}
	}
	if len(want) < 1000 {
		t.Errorf("only %d records closed", len(want))
	}
}
