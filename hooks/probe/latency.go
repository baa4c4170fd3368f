package probe

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"github.com/otelobj/otelobj/hooks/rt"
)

// Durations are counted in buckets that are a quarter of a power of two wide, so that a duration is known to an eighth of itself.
const (
	subBits   = 2
	maxBits   = 41 // durations from 2^41 ns (36 minutes) on are in the last bucket
	bucketLen = (maxBits - subBits + 1) << subBits
)

// histogram is the distribution of the durations of one function. Every field is changed by one atomic addition.
type histogram struct {
	Sum     uint64 // nanoseconds
	Buckets [bucketLen]uint64
}

// bucket returns the index for a duration in nanoseconds.
func bucket(ns uint64) int {
	if ns < 1<<subBits {
		return int(ns)
	}
	top := bits.Len64(ns) - 1 - subBits
	return min(top<<subBits+int(ns>>top), bucketLen-1)
}

// lower returns the shortest duration of a bucket.
func lower(i int) uint64 {
	if i < 2<<subBits {
		return uint64(i)
	}
	top := i>>subBits - 1
	return uint64(i&(1<<subBits-1)|1<<subBits) << top
}

func (h *histogram) add(ns int64) {
	n := uint64(max(ns, 0))
	atomic.AddUint64(&h.Buckets[bucket(n)], 1)
	atomic.AddUint64(&h.Sum, n)
}

// beforeLatency is called by a thunk of the link step, at the entry of a function with `probe: latency`.
func beforeLatency(_ *table, call *rt.Call, _, _, _ unsafe.Pointer) { call.StartTimer() }

// afterLatency is called when that function has returned.
func afterLatency(h *histogram, call *rt.Call, _, _, _ unsafe.Pointer) {
	if ns, ok := call.Elapsed(); ok {
		h.add(ns)
	}
}

// Latencies are the durations of one function's calls that have returned.
type Latencies struct {
	Calls   uint64
	Sum     uint64 // nanoseconds
	Buckets []Bucket
}

// Bucket is the number of calls that took from Low on and less than High nanoseconds.
type Bucket struct{ Low, High, Calls uint64 }

// Histograms returns the durations of every function that has a histogram and has returned at least once.
func Histograms() map[string]Latencies {
	sums := map[string]*histogram{}
	for _, t := range present() {
		each(t.Timed, func(i int, name string) {
			h := sums[name]
			if h == nil {
				h = new(histogram)
				sums[name] = h
			}
			h.take(&t.Histograms[i])
		})
	}
	found := map[string]Latencies{}
	for name, h := range sums {
		if l := h.latencies(); l.Calls != 0 {
			found[name] = l
		}
	}
	return found
}

// take adds what another histogram has counted so far.
func (h *histogram) take(other *histogram) {
	h.Sum += atomic.LoadUint64(&other.Sum)
	for i := range h.Buckets {
		h.Buckets[i] += atomic.LoadUint64(&other.Buckets[i])
	}
}

func (h *histogram) latencies() Latencies {
	l := Latencies{Sum: h.Sum}
	for i, n := range h.Buckets {
		if n != 0 {
			l.Calls += n
			l.Buckets = append(l.Buckets, Bucket{lower(i), lower(i + 1), n})
		}
	}
	return l
}
