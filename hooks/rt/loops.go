package rt

import "unsafe"

// loopSites remembers of call sites whether they are among link.Loops: a return address above the answer, in bit 0. Sites with the same place
// push each other out. Words are read and written whole, and not atomically: that would order goroutines before each other in the eyes
// of the race detector.
var loopSites [256]uint64

// inLoop reports whether the call with this args area, of a function whose entry stub has called, receives in a loop.
//
//go:norace
//go:nocheckptr
func inLoop(args unsafe.Pointer) bool {
	pc := *(*uintptr)(unsafe.Add(args, -int(link.ReturnOff)))
	site := &loopSites[(pc>>2^pc>>10)%uintptr(len(loopSites))]
	if known := *site; known>>1 == uint64(pc) {
		return known&1 != 0
	}
	known := uint64(pc) << 1
	if isLoop(pc) {
		known |= 1
	}
	*site = known
	return known&1 != 0
}

// isLoop looks for a return address by the name of the function that has the code, whatever of it was inlined from others, and the place in it.
//
//go:norace
func isLoop(pc uintptr) bool {
	f := link.FuncForPC(pc - 1)
	if f == nil {
		return false
	}
	entry := link.FuncEntry(f)
	want := hash(link.FuncName(link.FuncForPC(entry)), uint32(pc-entry))
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

// hash is 64-bit FNV-1a of a function's name and of a place in it, lowest byte first, without leading zeros.
//
//go:norace
func hash(name string, place uint32) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(name); i++ {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	for ; ; place >>= 8 {
		h = (h ^ uint64(place&0xff)) * 1099511628211
		if place < 0x100 {
			return h
		}
	}
}
