package rt

import "sync/atomic"

// Durations are counted in buckets that are a quarter of a power of two wide, so that a duration is known to an eighth of itself.
const (
	subBits   = 2
	maxBits   = 41 // durations from 2^41 ns (36 minutes) on are in the last bucket
	bucketLen = (maxBits - subBits + 1) << subBits
)

// One atomic addition counts a short call and adds up by how much it is longer than its bucket's shortest: both are in one word.
const (
	shortBits = 18 // a call shorter than 2^18 ns (0.26 ms) is short
	shortLen  = (shortBits - subBits + 1) << subBits
	countBits = 24 // the low bits of the word; shortBits-subBits+countBits fit in the others
	spillAt   = 1 << (countBits - 1)
)

// Histogram is the distribution of the durations of one function. Zero is an empty one.
//
// A word whose count has reached spillAt is emptied into the wide fields by the first call that sees it. The count would overflow if as many
// goroutines again were interrupted between their addition and the look at what came of it.
type Histogram struct {
	short  [shortLen]uint64  // by bucket: count, and in the bits above it the nanoseconds over the bucket's shortest
	long   [bucketLen]uint64 // by bucket: calls that are not in short
	over   uint64            // nanoseconds of these over their buckets' shortest
	spills [2]uint64         // begun, and ended: nobody who reads must miss what is on its way
}

// Add counts a call.
//
//go:nosplit
//go:norace
func (h *Histogram) Add(ns int64) {
	n := uint64(max(ns, 0))
	top := octave(n)
	i := top<<subBits + n>>top
	if i >= shortLen {
		h.addLong(n)
		return
	}
	over := n & (1<<top - 1)
	if atomic.AddUint64(&h.short[i], over<<countBits|1)&spillAt != 0 {
		h.spill(int(i))
	}
}

// octave returns the power of two that is the width of the buckets near a duration. Nothing waits for the loop as long as the processor
// guesses the number of turns; what takes many turns has taken long. Package math/bits is no choice: what rt imports cannot be hooked.
//
//go:nosplit
//go:norace
func octave(ns uint64) (top uint64) {
	for ns>>top >= 2<<subBits {
		top++
	}
	return top
}

// bucket returns the index for a duration in nanoseconds.
//
//go:nosplit
//go:norace
func bucket(ns uint64) int {
	top := octave(ns)
	return int(min(top<<subBits+ns>>top, bucketLen-1))
}

//go:nosplit
//go:norace
//go:noinline
func (h *Histogram) addLong(ns uint64) {
	i := bucket(ns)
	atomic.AddUint64(&h.over, ns-Shortest(i))
	atomic.AddUint64(&h.long[i], 1)
}

//go:nosplit
//go:norace
//go:noinline
func (h *Histogram) spill(i int) {
	atomic.AddUint64(&h.spills[0], 1)
	word := atomic.SwapUint64(&h.short[i], 0)
	atomic.AddUint64(&h.over, word>>countBits)
	atomic.AddUint64(&h.long[i], word&(1<<countBits-1))
	atomic.AddUint64(&h.spills[1], 1)
}

// Shortest returns the shortest duration in bucket i, in nanoseconds.
//
//go:nosplit
//go:norace
func Shortest(i int) uint64 {
	if i < 2<<subBits {
		return uint64(i)
	}
	top := i>>subBits - 1
	return uint64(i&(1<<subBits-1)|1<<subBits) << top
}

// Distribution is what histograms have counted: the calls in each bucket, and the sum of all durations in nanoseconds.
type Distribution struct {
	Sum     uint64
	Buckets [bucketLen]uint64
}

const readings = 1000 // until one is taken that a spill has met: somebody is interrupted in the middle of it

// AddTo adds what h has counted so far to d.
//
//go:norace
func (h *Histogram) AddTo(d *Distribution) {
	var found Distribution
	for range readings {
		ended := atomic.LoadUint64(&h.spills[1])
		found = h.read()
		if atomic.LoadUint64(&h.spills[0]) == ended {
			break
		}
	}
	d.Sum += found.Sum
	for i, n := range found.Buckets {
		d.Buckets[i] += n
	}
}

//go:norace
func (h *Histogram) read() (d Distribution) {
	d.Sum = atomic.LoadUint64(&h.over)
	for i := range h.long {
		n := atomic.LoadUint64(&h.long[i])
		if i < shortLen {
			word := atomic.LoadUint64(&h.short[i])
			n += word & (1<<countBits - 1)
			d.Sum += word >> countBits
		}
		d.Sum += n * Shortest(i)
		d.Buckets[i] = n
	}
	return d
}
