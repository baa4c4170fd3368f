package rt

import "sync/atomic"

// loopSites remembers of call sites whether they are in one of link.Loops: a return address above the answer, in bit 0. Sites with
// the same place push each other out.
var loopSites [256]uint64

// inLoop reports whether a return address lies in a function that receives in a loop what it works on.
//
//go:norace
func inLoop(pc uintptr) bool {
	site := &loopSites[(pc>>2^pc>>10)%uintptr(len(loopSites))]
	if known := atomic.LoadUint64(site); known>>1 == uint64(pc) {
		return known&1 != 0
	}
	known := uint64(pc) << 1
	if isLoop(pc) {
		known |= 1
	}
	atomic.StoreUint64(site, known)
	return known&1 != 0
}

// isLoop looks for the name of the function that the code belongs to, whatever of it was inlined from others.
//
//go:norace
func isLoop(pc uintptr) bool {
	f := link.FuncForPC(pc - 1)
	if f == nil {
		return false
	}
	want := hash(link.FuncName(link.FuncForPC(link.FuncEntry(f))))
	lo, hi := 0, len(link.Loops)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); link.Loops[mid] < want {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(link.Loops) && link.Loops[lo] == want
}

// hash is 64-bit FNV-1a.
//
//go:norace
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
