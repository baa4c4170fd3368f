package rt

import "unsafe"

// Goroutines that take their work from channels, such as the workers of a pool.
//
// A worker that a request has started on demand inherits from it, like any goroutine, and serves others later. Nothing at its start tells it
// from a goroutine that works for this request alone; what comes through its channel does. So every channel has a mark: the tag
// of the trace that has sent on it, or that several have. A goroutine that takes its work from a channel in a loop, and has inherited what
// is current, forgets that as soon as it has received something from a channel on which another trace has sent.
//
// The mark lies in bytes of runtime.hchan that no field takes: 0 in a new channel. It is made before the value is sent, or the receiver
// could look too early; so a select statement marks the channels of all its cases that send. It is read and written plainly: an
// atomic access would order senders before each other in the eyes of the race detector. If two traces send at the same moment, the mark of
// one may be lost, until it sends again. Which calls receive in a loop the link step has found out (objinst/plan/workers.py).

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
func mark(c uintptr) uint16 {
	return uint16(load(c+link.MarkOff&^(ptrSize-1))>>(8*(link.MarkOff&(ptrSize-1)))) & shared()
}

//go:norace
//go:nocheckptr
func setMark(c unsafe.Pointer, m uint16) {
	if link.MarkSize == 1 {
		*(*uint8)(unsafe.Add(c, link.MarkOff)) = uint8(m)
		return
	}
	*(*uint16)(unsafe.Add(c, link.MarkOff)) = m
}

// onSend is called at the entry of runtime.chansend1 where the channel's mark is not the tag of what is current.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onSend(_ *Desc, args, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		sends(*(*unsafe.Pointer)(args), g, true)
	}
	return false
}

// onTrySend is onSend for runtime.selectnbsend, which does not wait.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onTrySend(_ *Desc, args, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		sends(*(*unsafe.Pointer)(args), g, false)
	}
	return false
}

// onReceive is called at the entry of runtime.chanrecv1 where what is current was inherited. A value that nobody looks at is no work.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onReceive(d *Desc, args, g unsafe.Pointer) bool {
	if *(*unsafe.Pointer)(unsafe.Add(args, ptrSize)) != nil && isOn() && guard(g) {
		receives(d, *(*unsafe.Pointer)(args), args, g, false)
	}
	return false
}

// onRange is onReceive for runtime.chanrecv2: a loop over a channel, or who asks whether it is closed, is about what it gives, whatever that is.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onRange(d *Desc, args, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		receives(d, *(*unsafe.Pointer)(args), args, g, true)
	}
	return false
}

// onTry is onReceive for runtime.selectnbrecv(elem, c).
//
//go:nosplit
//go:norace
//go:nocheckptr
func onTry(d *Desc, args, g unsafe.Pointer) bool {
	if *(*unsafe.Pointer)(args) != nil && isOn() && guard(g) {
		receives(d, *(*unsafe.Pointer)(unsafe.Add(args, ptrSize)), args, g, false)
	}
	return false
}

// onSelect is called at the entry of runtime.selectgo where what is current was inherited, or something is current and a case sends.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onSelect(d *Desc, args, g unsafe.Pointer) bool {
	if isOn() && guard(g) {
		selects(d, args, g)
	}
	return false
}

// onReceived is called where chanrecv1 returns, if its entry has left a record.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onReceived(d *Desc, _, args, g unsafe.Pointer) {
	if r := noted(d, args, g); r != nil {
		r.got(r.from, g)
	}
}

// onReceivedOK is onReceived for chanrecv2 and selectnbrecv. The first byte of the results says whether something was received: a closed
// channel gives nothing.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onReceivedOK(d *Desc, results, args, g unsafe.Pointer) {
	if r := noted(d, args, g); r != nil && *(*bool)(results) {
		r.got(r.from, g)
	}
}

// onSelected is onReceived for selectgo, which returns the case that was chosen and whether something was received. The case may be one that
// sends, or none.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onSelected(d *Desc, results, args, g unsafe.Pointer) {
	if r := noted(d, args, g); r != nil && *(*bool)(unsafe.Add(results, ptrSize)) {
		r.chosen(*(*int)(results), g)
	}
}

// Offsets in the args area of selectgo(cas0, order0, pc0, nsends, nrecvs, block).
const (
	selectSends    = 3 * ptrSize
	selectReceives = 4 * ptrSize
	selectBlocks   = 5 * ptrSize
)

// sends marks a channel with what is current, unless it is full and nobody waits: then the value is dropped. It must not allocate: the runtime
// sends with the world stopped (sync, poolCleanup in Go 1.23 and 1.24).
//
//go:norace
func sends(c, g unsafe.Pointer, blocks bool) {
	n := present(g)
	if c == nil || n == nil || !blocks && full(c) {
		return
	}
	inherited, tag := heritage(n)
	if inherited == nil && n.goid != goid(g) && !n.suppressed {
		setSlot(g, nil)
	}
	if tag == 0 {
		return
	}
	for range 2 { // the second time looks whether somebody has sent meanwhile
		m := mark(uintptr(c))
		if m == tag || m == shared() {
			return
		}
		if m != 0 {
			tag = shared()
		}
		setMark(c, tag)
	}
}

// present returns what the slot points to when scopes that are over have been left; nil if that is nothing, or a hook is running: what it
// does is its own business.
//
//go:norace
func present(g unsafe.Pointer) *node {
	n := slot(g)
	if n != nil && n.goid == goid(g) {
		if n.owner.busy != 0 {
			return nil
		}
		n.owner.innermost(g, nil)
		n = slot(g)
	}
	return n
}

// full reports whether a value that is sent now would have to wait (runtime/chan.go, full).
//
//go:norace
//go:nocheckptr
func full(c unsafe.Pointer) bool {
	if size := word(c, link.DataqsizOff); size != 0 {
		return word(c, link.QcountOff) == size
	}
	return word(c, link.RecvqOff) == 0
}

// receives leaves a record of a receive that may bring work from others.
//
//go:norace
//go:nocheckptr
func receives(d *Desc, c, args, g unsafe.Pointer, ranges bool) {
	if c != nil && inherits(g) && carries(uintptr(c), ranges) && inLoop(args) {
		r := own(g)
		r.from = uintptr(c)
		r.note(d, args, g)
	}
}

// carries reports whether what a channel gives is work: signals have no size, and what the clock sends is no work either.
//
//go:norace
func carries(c uintptr, ranges bool) bool {
	if link.TimerOff != 0 && load(c+link.TimerOff) != 0 {
		return false
	}
	return ranges || uint16(load(c+link.ElemsizeOff)) != 0
}

// load reads a word. Channels are held as numbers where a receive returns: nobody may need them any more, and the collector must not meet a
// pointer to memory that is free. It can be read all the same.
//
//go:norace
//go:nocheckptr
func load(at uintptr) uintptr { return **(**uintptr)(unsafe.Pointer(&at)) }

// inherits reports whether the running goroutine has inherited what is current, and no hook runs. What has been inherited and is over is
// forgotten.
//
//go:norace
func inherits(g unsafe.Pointer) bool {
	n := present(g)
	if n == nil || n.suppressed || n.private || n.settled && n.goid == goid(g) {
		return false
	}
	inherited, tag := heritage(n)
	if inherited == nil {
		forget(n, g)
	}
	return tag != 0
}

// note pushes a record without hooks, for the exit stub to find.
//
//go:norace
func (r *goroutine) note(d *Desc, args, g unsafe.Pointer) { r.fresh(d, args, g).push(r, g) }

// noted takes off what note has pushed. It returns the goroutine's state if the record was there.
//
//go:nosplit
//go:norace
//go:nocheckptr
func noted(d *Desc, args, g unsafe.Pointer) *goroutine {
	c := returned(d, args, g)
	if c == nil {
		return nil
	}
	c.settle(c.owner)
	return c.owner
}

// got notes that something came from a channel.
//
//go:norace
func (r *goroutine) got(c uintptr, g unsafe.Pointer) {
	n := slot(g)
	if m := mark(c); m != 0 && m != n.tag {
		forget(n, g)
	}
}

// selects notes a select statement.
//
//go:norace
//go:nocheckptr
func selects(d *Desc, args, g unsafe.Pointer) {
	cases := *(*unsafe.Pointer)(args)
	count, blocks := word(args, selectSends), *(*bool)(unsafe.Add(args, selectBlocks))
	for i := uintptr(0); i < count; i++ {
		sends(chanOf(cases, i), g, blocks)
	}
	if uintptr(cases) < stackLo(g) || uintptr(cases) >= stackHi(g) || !inherits(g) {
		return
	}
	for i := count; i < count+word(args, selectReceives); i++ {
		if brings(cases, i) && inLoop(args) {
			r := own(g)
			r.cases, r.sends = stackHi(g)-uintptr(cases), int(count)
			r.note(d, args, g)
			return
		}
	}
}

// chosen notes the case that a select statement has chosen.
//
//go:norace
func (r *goroutine) chosen(i int, g unsafe.Pointer) {
	cases := at(g, r.cases)
	if i >= r.sends && brings(cases, uintptr(i)) {
		r.got(word(cases, uintptr(i)*link.CaseSize+link.CaseChanOff), g)
	}
}

// brings reports whether a case receives work: it looks at the value, and the channel carries work.
//
//go:norace
func brings(cases unsafe.Pointer, i uintptr) bool {
	c, elem := word(cases, i*link.CaseSize+link.CaseChanOff), word(cases, i*link.CaseSize+link.CaseElemOff)
	return c != 0 && elem != 0 && carries(c, false)
}

// chanOf returns the channel of a case.
//
//go:norace
//go:nocheckptr
func chanOf(cases unsafe.Pointer, i uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Add(cases, i*link.CaseSize+link.CaseChanOff))
}
