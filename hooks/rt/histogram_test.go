package rt

import (
	"math/rand/v2"
	"sync"
	"testing"
)

func TestBuckets(t *testing.T) {
	last := -1
	for _, ns := range []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 100, 1000, 1 << 20, 1<<41 - 1} {
		i := bucket(ns)
		if i < last || Shortest(i) > ns || ns >= Shortest(i+1) {
			t.Errorf("%d ns are in bucket %d, from %d to %d", ns, i, Shortest(i), Shortest(i+1))
		}
		if width := Shortest(i+1) - Shortest(i); width > max(1, ns/4) {
			t.Errorf("the bucket of %d ns is %d wide", ns, width)
		}
		last = i
	}
	for i := range bucketLen - 1 {
		if bucket(Shortest(i)) != i || bucket(Shortest(i+1)-1) != i {
			t.Errorf("bucket %d does not end where the next one begins", i)
		}
	}
	if got := bucket(1<<64 - 1); got != bucketLen-1 {
		t.Errorf("the longest duration is in bucket %d", got)
	}
	if bucket(1<<shortBits-1) != shortLen-1 {
		t.Errorf("the last bucket of short calls is %d, not %d", bucket(1<<shortBits-1), shortLen-1)
	}
}

func taken(h *Histogram) (d Distribution) {
	h.AddTo(&d)
	return d
}

// TestSums holds a histogram against plain additions, durations of every size and at the edges among them.
func TestSums(t *testing.T) {
	var h Histogram
	var want Distribution
	add := func(ns int64) {
		h.Add(ns)
		want.Sum += uint64(max(ns, 0))
		want.Buckets[bucket(uint64(max(ns, 0)))]++
	}
	for i := range bucketLen {
		for _, ns := range []uint64{Shortest(i), Shortest(i) + 1, Shortest(i+1) - 1} {
			add(int64(ns))
		}
	}
	add(-5) // a clock that went back
	add(1 << 50)
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		add(random.Int64() >> random.IntN(63))
	}
	if got := taken(&h); got != want {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// TestNothingIsLostWhenAWordIsFull counts so often that words are spilled again and again, by several at a time, and looks on meanwhile.
func TestNothingIsLostWhenAWordIsFull(t *testing.T) {
	const workers, longest = 4, 1<<shortBits - 1
	rounds := 3 * spillAt
	if testing.Short() {
		rounds = spillAt
	}
	var h Histogram
	i := bucket(longest)
	h.short[i] = (spillAt - 10) | (spillAt-10)*(longest-Shortest(i))<<countBits // as if that many had been there
	done := make(chan bool)
	var running sync.WaitGroup
	for range workers {
		running.Add(1)
		go func() {
			defer running.Done()
			for range rounds / workers {
				h.Add(longest)
			}
		}()
	}
	go func() { running.Wait(); close(done) }()
	last := uint64(0)
	for open := true; open; {
		select {
		case <-done:
			open = false
		default:
		}
		got := taken(&h)
		if n := got.Buckets[i]; n < last || got.Sum < n*Shortest(i) {
			t.Fatalf("%d calls of %d ns after %d", n, got.Sum, last)
		}
		last = got.Buckets[i]
	}
	n := uint64(rounds/workers*workers + spillAt - 10)
	if got := taken(&h); got.Buckets[i] != n || got.Sum != n*longest || h.spills[0] < uint64(rounds/spillAt) || h.spills[0] != h.spills[1] {
		t.Errorf("%d calls of %d ns together, %d and %d are right; spilled %v", got.Buckets[i], got.Sum, n, n*longest, h.spills)
	}
}

func BenchmarkAdd(b *testing.B) {
	var h Histogram
	for range b.N {
		h.Add(50)
	}
}
