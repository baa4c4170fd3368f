package rt

import (
	"sync/atomic"
	"unsafe"
)

// Goroutines that take their work from channels, such as the workers of a pool.
//
// A worker that a request has started on demand inherits from it, like any goroutine, and serves others later. Nothing at its start tells it
// from a goroutine that works for this request alone; what comes through its channel does. So every channel bears a mark: the tag
// of the trace that has sent on it, or that several have. A goroutine that receives in a loop what it works on, and has inherited what
// is current, keeps that only as long as nothing but this trace has sent on its channel.
//
// The mark lies in bytes of runtime.hchan that no field takes: 0 in a new channel. Which functions receive in a loop the link step has found
// out (objinst/plan/workers.py).

// feed is where a goroutine takes its work from, and what it has inherited for as long as that is not shared. It does not change.
type feed struct {
	cell  *cell
	tag   uint16
	chans [maxChans]unsafe.Pointer // *runtime.hchan; the newest first
	outer *feed                    // of the goroutine that this one has inherited from, nil if it had none
	depth uint8                    // number of outer ones
}

// maxChans is how many channels are watched of those that a goroutine takes work from in turn.
const maxChans = 4

// maxFeeds bounds a chain of workers that start each other.
const maxFeeds = 8

// nothing is the feed of a goroutine that has inherited nothing, whatever lies below.
var nothing feed

// get returns what is in the cell, as cell.get, nil if the work is not that of one trace alone.
//
//go:norace
func (f *feed) get(open func(value unsafe.Pointer) bool) unsafe.Pointer {
	for at := f; at != nil; at = at.outer {
		for _, c := range at.chans {
			if c != nil && foreign(c, at.tag) {
				return nil
			}
		}
	}
	if f == nil {
		return nil
	}
	return f.cell.get(open)
}

// tagOf folds what tells a trace from others into a tag: neither 0 nor shared.
//
//go:norace
func tagOf(trace uint64) uint16 {
	if trace == 0 || link.MarkSize == 0 {
		return 0
	}
	return uint16(trace%uint64(shared()-1)) + 1
}

// shared is the mark of a channel on which several traces have sent.
//
//go:norace
func shared() uint16 { return 1<<(8*link.MarkSize) - 1 }

// mark reads the mark of a channel.
//
//go:norace
//go:nocheckptr
func mark(c unsafe.Pointer) uint16 {
	if link.MarkSize == 1 {
		return uint16(*(*uint8)(unsafe.Add(c, link.MarkOff)))
	}
	return *(*uint16)(unsafe.Add(c, link.MarkOff))
}

// foreign reports whether another trace than that of the tag has sent on a channel.
//
//go:norace
func foreign(c unsafe.Pointer, tag uint16) bool {
	m := mark(c)
	return m != 0 && m != tag
}

// sent notes that a goroutine with this tag sends on a channel. The word around the mark never changes otherwise.
//
//go:norace
//go:nocheckptr
func sent(c unsafe.Pointer, tag uint16) {
	word, shift := (*uint32)(unsafe.Add(c, link.MarkOff&^3)), 8*(link.MarkOff&3)
	for {
		old := atomic.LoadUint32(word)
		m := uint16(old>>shift) & shared()
		if m == 0 {
			m = tag
		} else if m != tag {
			m = shared()
		}
		with := old&^(uint32(shared())<<shift) | uint32(m)<<shift
		if old == with || atomic.CompareAndSwapUint32(word, old, with) {
			return
		}
	}
}

// onSend is called at the entry of runtime.chansend where the channel's mark is not that of what is current.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onSend(_ *Desc, args, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		sends(*(*unsafe.Pointer)(args), g)
	}
	return false
}

// onReceive is called at the entry of runtime.chanrecv1 where what is current was inherited.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onReceive(_ *Desc, args, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		receives(*(*unsafe.Pointer)(args), args, g, false)
	}
	return false
}

// onRange is onReceive for runtime.chanrecv2: a loop over what a channel gives.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onRange(_ *Desc, args, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		receives(*(*unsafe.Pointer)(args), args, g, true)
	}
	return false
}

// onTry is onReceive for runtime.selectnbrecv, whose second argument is the channel.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onTry(_ *Desc, args, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		receives(*(*unsafe.Pointer)(unsafe.Add(args, ptrSize)), args, g, false)
	}
	return false
}

// onSelect is called at the entry of runtime.selectgo where something is current. Its cases are an array: those that send come first.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onSelect(_ *Desc, args, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		selects(args, g)
	}
	return false
}

// Offsets in the args area of selectgo(cas0, order0, pc0, nsends, nrecvs, block).
const (
	selectSends    = 3 * ptrSize
	selectReceives = 4 * ptrSize
)

//go:norace
//go:nocheckptr
func selects(args, g unsafe.Pointer) {
	count := word(args, selectSends)
	for i := uintptr(0); i < count; i++ {
		sends(chanOf(args, i), g)
	}
	for i := count; i < count+word(args, selectReceives); i++ {
		receives(chanOf(args, i), args, g, false)
	}
}

// chanOf returns the channel of a case.
//
//go:norace
//go:nocheckptr
func chanOf(args unsafe.Pointer, i uintptr) unsafe.Pointer {
	cases := *(*unsafe.Pointer)(args)
	return *(*unsafe.Pointer)(unsafe.Add(cases, i*link.CaseSize+link.CaseChanOff))
}

// sends marks a channel with what is current.
//
//go:norace
func sends(c, g unsafe.Pointer) {
	n := slot(g)
	if c == nil || n == nil {
		return
	}
	if n.goid == goid(g) {
		if n.owner.busy != 0 {
			return // a hook's own business
		}
		n.owner.innermost(g, nil) // leaves what is over
		n = slot(g)
	}
	if _, _, tag := heritage(n); tag != 0 {
		sent(c, tag)
	}
}

// receives is told of a receive from a channel. Whoever works on what it gives keeps what was inherited only for as long as one trace
// feeds it.
//
//go:norace
//go:nocheckptr
func receives(c, args, g unsafe.Pointer, ranges bool) {
	n := slot(g)
	if n == nil || n.tag == 0 || n.goid == goid(g) && (n.settled || n.owner.busy != 0) {
		return
	}
	cell, inherited, tag := heritage(n)
	if tag == 0 {
		forget(n, g)
		return
	}
	if c == nil || inherited.watches(c) || !carries(c, ranges) || !inLoop(*(*uintptr)(unsafe.Add(args, -int(link.ReturnOff)))) {
		return
	}
	if foreign(c, tag) {
		forget(n, g)
		return
	}
	r := own(g)
	f := &feed{cell: cell, tag: tag, chans: [maxChans]unsafe.Pointer{c}, outer: inherited}
	if inherited != nil {
		f.cell, f.depth = inherited.cell, inherited.depth+1
	}
	if s := r.scope; s != nil && s.feed != nil {
		copy(f.chans[1:], s.feed.chans[:])
		f.outer, f.depth = s.feed.outer, s.feed.depth
		r.leaveTo(s.outer, g)
	}
	if f.depth == maxFeeds {
		f, f.tag = &nothing, 0
	}
	r.enter(g, node{feed: f, tag: f.tag})
}

// watches reports whether a channel is one of the feed's own.
//
//go:norace
func (f *feed) watches(c unsafe.Pointer) bool {
	return f != nil && (c == f.chans[0] || c == f.chans[1] || c == f.chans[2] || c == f.chans[3])
}

// forget makes a goroutine forget what it has inherited. Others that have inherited the same node do not.
//
//go:norace
func forget(n *node, g unsafe.Pointer) {
	if n.goid != goid(g) {
		setSlot(g, nil)
		return
	}
	r := n.owner
	if r.scope != nil && r.scope.feed != nil {
		r.leaveTo(r.scope.outer, g)
	}
	r.enter(g, node{feed: &nothing})
}

// carries reports whether what a channel gives is work: signals are values of no size, and the clock's are no work either. A loop over a
// channel is about what it gives, whatever that is.
//
//go:norace
//go:nocheckptr
func carries(c unsafe.Pointer, ranges bool) bool {
	if link.TimerOff != 0 && word(c, link.TimerOff) != 0 {
		return false
	}
	return ranges || *(*uint16)(unsafe.Add(c, link.ElemsizeOff)) != 0
}
