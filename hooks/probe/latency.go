package probe

import (
	"unsafe"

	"github.com/otelobj/otelobj/hooks/rt"
)

// histogram is the distribution of the durations of one function.
type histogram struct{ rt.Histogram }

// beforeLatency is called by a thunk, at the entry of a function with `probe: latency`.
func beforeLatency(_ *table, call *rt.Call, _, _, _ unsafe.Pointer) { call.StartTimer() }

// afterLatency is called when that function has returned.
func afterLatency(h *histogram, call *rt.Call, _, _, _ unsafe.Pointer) {
	if ns, ok := call.Elapsed(); ok {
		h.Add(ns)
	}
}

// Latencies are the durations of one function's calls that have returned.
type Latencies struct {
	Calls   uint64
	Sum     uint64 // nanoseconds
	Buckets []Bucket
}

// Bucket is the number of calls that took at least Low and less than High nanoseconds.
type Bucket struct{ Low, High, Calls uint64 }

// Histograms returns the durations of every function that has a histogram and has returned at least once.
func Histograms() map[string]Latencies {
	sums := map[string]*rt.Distribution{}
	for _, t := range present() {
		each(t.Timed, func(i int, name string) {
			d := sums[name]
			if d == nil {
				d = new(rt.Distribution)
				sums[name] = d
			}
			t.Histograms[i].AddTo(d)
		})
	}
	found := map[string]Latencies{}
	for name, d := range sums {
		if l := latencies(d); l.Calls != 0 {
			found[name] = l
		}
	}
	return found
}

func latencies(d *rt.Distribution) Latencies {
	l := Latencies{Sum: d.Sum}
	for i, n := range d.Buckets {
		if n != 0 {
			l.Calls += n
			l.Buckets = append(l.Buckets, Bucket{rt.Shortest(i), rt.Shortest(i + 1), n})
		}
	}
	return l
}
