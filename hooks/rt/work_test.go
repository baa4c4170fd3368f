package rt

import (
	"testing"
	"unsafe"
)

// fakeChan has the shape of runtime.hchan as far as this package looks at it.
type fakeChan struct {
	qcount, dataqsiz uint64
	elemsize         uint16
	mark             uint16
	closed           uint32
	timer            unsafe.Pointer
	recvq            unsafe.Pointer
}

type fakeCase struct{ elem, c unsafe.Pointer }

const (
	loopPC  = 0x401123 // the return address of a call that receives in a loop
	otherPC = 0x401456 // of another one in the same function
	farPC   = 0x402123
)

// workWorld also knows of channels. Functions begin at multiples of 0x1000.
func workWorld(t *testing.T) *world {
	w := newWorld(t)
	link.MarkOff, link.MarkSize = unsafe.Offsetof(fakeChan{}.mark), unsafe.Sizeof(fakeChan{}.mark)
	link.ElemsizeOff, link.TimerOff = unsafe.Offsetof(fakeChan{}.elemsize), unsafe.Offsetof(fakeChan{}.timer)
	link.QcountOff, link.DataqsizOff = unsafe.Offsetof(fakeChan{}.qcount), unsafe.Offsetof(fakeChan{}.dataqsiz)
	link.RecvqOff = unsafe.Offsetof(fakeChan{}.recvq)
	link.CaseSize, link.CaseChanOff = unsafe.Sizeof(fakeCase{}), unsafe.Offsetof(fakeCase{}.c)
	link.CaseElemOff = unsafe.Offsetof(fakeCase{}.elem)
	link.ReturnOff = 2 * ptrSize
	type function struct {
		entry uintptr
		name  string
	}
	link.FuncForPC = func(pc uintptr) unsafe.Pointer {
		switch entry := pc &^ 0xfff; {
		case pc == loopPC-1 || pc == otherPC-1: // code that was inlined
			return unsafe.Pointer(&function{entry, "main.inlined"})
		case entry == 0x401000:
			return unsafe.Pointer(&function{entry, "main.loop"})
		case entry == 0x402000:
			return unsafe.Pointer(&function{entry, "main.far"})
		}
		return nil
	}
	link.FuncEntry = func(f unsafe.Pointer) uintptr { return (*function)(f).entry }
	link.FuncName = func(f unsafe.Pointer) string { return (*function)(f).name }
	link.Loops = []uint64{hash("main.loop", loopPC&0xfff)}
	loopSites = [256]uint64{}
	return w
}

func newChan() *fakeChan { return &fakeChan{elemsize: 8} }

// args makes the args area of a call that returns to pc.
func (w *world) args(pc uintptr, words ...unsafe.Pointer) unsafe.Pointer {
	args := w.at(128)
	*(*uintptr)(unsafe.Add(args, -int(link.ReturnOff))) = pc
	copy(unsafe.Slice((*unsafe.Pointer)(args), 8), words)
	return args
}

var someElem int

// send sends, and waits if it must.
func (w *world) send(c *fakeChan) {
	onSend(nil, w.args(otherPC, unsafe.Pointer(c)), unsafe.Pointer(w.g))
}

var receiving = desc("runtime.receiving")

// receive calls what the stubs of chanrecv1 and chanrecv2 call; between does what happens until something is there.
func (w *world) receiveWhile(pc uintptr, c *fakeChan, ranges bool, elem unsafe.Pointer, between func()) {
	g, args := w.g, w.args(pc, unsafe.Pointer(c), elem)
	if ranges {
		onRange(receiving, args, unsafe.Pointer(g))
	} else {
		onReceive(receiving, args, unsafe.Pointer(g))
	}
	between()
	ok := c == nil || c.closed == 0
	w.leaves(args, func() {
		if ranges {
			onReceivedOK(receiving, unsafe.Pointer(&ok), args, unsafe.Pointer(g))
		} else {
			onReceived(receiving, nil, args, unsafe.Pointer(g))
		}
	})
}

// leaves does what an exit stub does.
func (w *world) leaves(args unsafe.Pointer, exit func()) {
	if n := w.g.slot; n != nil && n.top >= uint64(w.g.hi-uintptr(args)) {
		exit()
	}
}

func (w *world) receive(pc uintptr, c *fakeChan) {
	w.receiveWhile(pc, c, false, unsafe.Pointer(&someElem), func() {})
}

func (w *world) rangeOver(pc uintptr, c *fakeChan) { w.receiveWhile(pc, c, true, nil, func() {}) }

// try calls what the stub of selectnbrecv calls.
func (w *world) try(c *fakeChan, elem unsafe.Pointer, selected bool) {
	args := w.args(loopPC, elem, unsafe.Pointer(c))
	onTry(receiving, args, unsafe.Pointer(w.g))
	w.leaves(args, func() { onReceivedOK(receiving, unsafe.Pointer(&selected), args, unsafe.Pointer(w.g)) })
}

// selects waits for any of the cases, of which the first n send, and chooses one.
func (w *world) selects(pc uintptr, n, chosen int, blocks bool, elem unsafe.Pointer, cases ...*fakeChan) {
	place := w.at(128 + 256)
	for i, c := range cases {
		*(*fakeCase)(unsafe.Add(place, i*int(link.CaseSize))) = fakeCase{elem, unsafe.Pointer(c)}
	}
	args := w.args(pc, place)
	*(*uintptr)(unsafe.Add(args, selectSends)) = uintptr(n)
	*(*uintptr)(unsafe.Add(args, selectReceives)) = uintptr(len(cases) - n)
	*(*bool)(unsafe.Add(args, selectBlocks)) = blocks
	onSelect(receiving, args, unsafe.Pointer(w.g))
	results := struct {
		chosen int
		ok     bool
	}{chosen, chosen >= n && cases[chosen].closed == 0}
	w.leaves(args, func() { onSelected(receiving, unsafe.Pointer(&results), args, unsafe.Pointer(w.g)) })
}

// request runs f on another goroutine, in a trace of its own that ends with it.
func (w *world) request(trace uint64, f func()) {
	g, _ := w.newG(1000 + trace)
	g.lo, g.hi = w.g.lo, w.g.hi
	w.as(g, func() {
		s := Enter(unsafe.Pointer(&thing{name: "request"}), trace)
		f()
		s.Leave()
	})
}

// worker makes a request of trace 7, still open, and a goroutine that it has started.
func worker(w *world) *fakeG {
	Enter(unsafe.Pointer(&thing{name: "first"}), 7)
	return w.start(2)
}

func TestWorkerKeepsWhatItsOnlyTraceGives(t *testing.T) {
	w := workWorld(t)
	c := newChan()
	g := worker(w)
	for range 3 {
		w.send(c)
		w.as(g, func() {
			w.receive(loopPC, c)
			wantCurrent(t, "at work for the first request", "first")
		})
	}
	w.as(w.start(3), func() { w.send(c) })
	w.as(g, func() {
		w.rangeOver(loopPC, c)
		wantCurrent(t, "after work of the same trace", "first")
		if w.g.slot.top != 0 || w.g.slot.owner.next.outer != &w.g.slot.owner.root {
			t.Error("a record is left")
		}
	})
}

func TestWorkerForgetsWhatOthersGive(t *testing.T) {
	w := workWorld(t)
	c := newChan()
	g := worker(w)
	w.send(c)
	var before, after *fakeG
	w.as(g, func() {
		w.receive(loopPC, c)
		before = w.start(3)
	})
	w.request(8, func() { w.send(c) })
	w.as(g, func() {
		wantCurrent(t, "when another has sent, and the worker is not done", "first")
		w.receive(loopPC, c)
		wantCurrent(t, "at work for another", "")
		after = w.start(4)
		s, _ := enterValue("own")
		wantCurrent(t, "in a span of its own", "own")
		s.Leave()
		wantCurrent(t, "behind it", "")
	})
	w.send(c)
	w.as(g, func() {
		w.receive(loopPC, c)
		wantCurrent(t, "at work for the first request again", "")
		if w.g.slot.tag != 0 {
			t.Error("the stub would ask again")
		}
	})
	w.as(before, func() { wantCurrent(t, "what the worker had started for the first request", "first") })
	w.as(after, func() { wantCurrent(t, "what it has started for another", "") })
	wantCurrent(t, "the request itself", "first")
}

func TestWorkerThatWaits(t *testing.T) {
	for _, ranges := range []bool{false, true} {
		w := workWorld(t)
		c := newChan()
		g := worker(w)
		w.as(g, func() {
			w.receiveWhile(loopPC, c, ranges, unsafe.Pointer(&someElem), func() {
				w.request(8, func() { w.send(c) })
			})
			wantCurrent(t, "when another has sent meanwhile", "")
		})
	}
}

func TestNoWork(t *testing.T) {
	w := workWorld(t)
	c, signal, timer := newChan(), &fakeChan{}, newChan()
	timer.timer = unsafe.Pointer(timer)
	w.request(8, func() { w.send(c); w.send(signal); w.send(timer) })
	if c.mark != tagOf(8) {
		t.Fatalf("mark %d", c.mark)
	}
	g := worker(w)
	w.as(g, func() {
		for _, pc := range []uintptr{otherPC, otherPC, farPC, 0x999123} {
			w.receive(pc, c)
			w.selects(pc, 0, 0, true, unsafe.Pointer(&someElem), c)
			wantCurrent(t, "after a receive that is in no loop", "first")
		}
		w.receive(loopPC, nil)
		w.receive(loopPC, signal)
		w.receive(loopPC, timer)
		w.rangeOver(loopPC, timer)
		w.receiveWhile(loopPC, c, false, nil, func() {})
		w.try(c, unsafe.Pointer(&someElem), false)
		w.try(c, nil, true)
		w.selects(loopPC, 0, 0, true, unsafe.Pointer(&someElem), signal, timer, nil, newChan())
		w.selects(loopPC, 0, 0, true, nil, c)
		w.selects(loopPC, 0, -1, false, unsafe.Pointer(&someElem), c)
		c.closed = 1
		w.rangeOver(loopPC, c)
		w.selects(loopPC, 0, 0, true, unsafe.Pointer(&someElem), c)
		c.closed = 0
		wantCurrent(t, "after what is no work", "first")
		s := Enter(unsafe.Pointer(&thing{name: "own"}), 7)
		w.receive(loopPC, c)
		wantCurrent(t, "in a span of its own", "own")
		s.Leave()
		wantCurrent(t, "behind it", "first")
		w.rangeOver(loopPC, signal)
		wantCurrent(t, "in a loop over signals", "")
	})
	w.receive(loopPC, c)
	wantCurrent(t, "the request itself", "first")
}

func TestTryReceive(t *testing.T) {
	w := workWorld(t)
	c := newChan()
	w.request(8, func() { w.send(c) })
	w.as(worker(w), func() {
		w.try(c, unsafe.Pointer(&someElem), true)
		wantCurrent(t, "then", "")
	})
}

// Of the channels of a select statement the one that was chosen counts.
func TestSelects(t *testing.T) {
	w := workWorld(t)
	mine, others, out := newChan(), newChan(), newChan()
	w.request(8, func() { w.selects(otherPC, 1, 0, true, nil, others, mine) })
	if mine.mark != 0 || others.mark != tagOf(8) {
		t.Fatalf("marks %d and %d", mine.mark, others.mark)
	}
	elem := unsafe.Pointer(&someElem)
	g := worker(w)
	w.as(g, func() {
		w.selects(loopPC, 1, 1, true, elem, out, mine, others)
		w.selects(loopPC, 1, 0, true, elem, out, mine, others)
		w.selects(loopPC, 0, 0, true, elem, mine, others)
		wantCurrent(t, "what another has sent is still there", "first")
		if out.mark != tagOf(7) {
			t.Errorf("mark %d of what was sent", out.mark)
		}
		w.selects(loopPC, 1, 2, true, elem, out, mine, others)
		wantCurrent(t, "it was chosen", "")
	})
	// Cases on the heap, as package reflect has them, are none of a loop that could be known.
	w.as(w.start(3), func() {
		cases := []fakeCase{{elem, unsafe.Pointer(others)}}
		args := w.args(loopPC, unsafe.Pointer(&cases[0]))
		*(*uintptr)(unsafe.Add(args, selectSends)) = 0
		*(*uintptr)(unsafe.Add(args, selectReceives)) = 1
		onSelect(receiving, args, unsafe.Pointer(w.g))
		if w.g.slot.top != 0 {
			t.Error("a record of cases elsewhere")
		}
	})
}

// What is dropped has not been sent.
func TestFullChannels(t *testing.T) {
	w := workWorld(t)
	full, room := &fakeChan{qcount: 2, dataqsiz: 2, elemsize: 8}, &fakeChan{qcount: 1, dataqsiz: 2, elemsize: 8}
	waits, nobody := &fakeChan{elemsize: 8, recvq: unsafe.Pointer(t)}, newChan()
	w.request(8, func() {
		for _, c := range []*fakeChan{full, room, waits, nobody} {
			onTrySend(nil, w.args(otherPC, unsafe.Pointer(c)), unsafe.Pointer(w.g))
			w.selects(otherPC, 1, 0, false, nil, c)
		}
	})
	if full.mark != 0 || nobody.mark != 0 || room.mark == 0 || waits.mark == 0 {
		t.Errorf("marks %d %d %d %d", full.mark, room.mark, waits.mark, nobody.mark)
	}
	w.request(8, func() { w.send(full); w.selects(otherPC, 1, 0, true, nil, nobody) })
	if full.mark != tagOf(8) || nobody.mark != tagOf(8) {
		t.Errorf("marks %d and %d where the sender waits", full.mark, nobody.mark)
	}
}

func TestMarks(t *testing.T) {
	w := workWorld(t)
	c := newChan()
	w.send(c)
	if c.mark != 0 {
		t.Errorf("mark %d by nobody", c.mark)
	}
	w.request(8, func() { w.send(c); w.send(c) })
	if c.mark != tagOf(8) {
		t.Errorf("mark %d by one", c.mark)
	}
	w.request(9, func() { w.send(c) })
	w.request(8, func() { w.send(c) })
	if c.mark != shared() {
		t.Errorf("mark %d by two", c.mark)
	}
	// A scope that has ended elsewhere does not count, one around it does.
	fresh := newChan()
	w.request(10, func() {
		inner := Enter(unsafe.Pointer(&thing{name: "inner"}), 11)
		w.as(w.start(3), func() { inner.End() })
		w.send(fresh)
	})
	if fresh.mark != tagOf(10) {
		t.Errorf("mark %d, want %d", fresh.mark, tagOf(10))
	}
}

func TestSuppressedAndHeldBack(t *testing.T) {
	w := workWorld(t)
	c := newChan()
	w.request(8, func() { w.send(c) })
	Enter(unsafe.Pointer(&thing{name: "first"}), 7)
	fresh := newChan()
	Suppress(func() {
		w.as(w.start(2), func() {
			w.receive(loopPC, c)
			w.send(fresh)
			if !Suppressed() {
				t.Error("a worker that is suppressed is so no longer")
			}
		})
	})
	s := HoldBack()
	w.send(fresh)
	s.Leave()
	if fresh.mark != 0 {
		t.Errorf("mark %d where nothing is handed on", fresh.mark)
	}
	g := w.start(3)
	w.as(g, func() {
		s := HoldBack()
		w.receive(loopPC, c)
		wantCurrent(t, "held back", "first")
		if w.g.slot.tag != 0 {
			t.Error("a tag of what is handed to nobody")
		}
		w.as(w.start(4), func() { wantCurrent(t, "started meanwhile", "") })
		s.Leave()
		wantCurrent(t, "held back no longer", "first")
	})
}

// A hook's own channels are not the program's.
func TestInHooks(t *testing.T) {
	w := workWorld(t)
	c, fresh := newChan(), newChan()
	w.request(8, func() { w.send(c) })
	g := worker(w)
	w.as(g, func() {
		d := desc("main.f", hook("h", func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) {
			w.receive(loopPC, c)
			w.selects(loopPC, 0, 0, true, unsafe.Pointer(&someElem), c)
			w.send(fresh)
		}, nil))
		w.enter(d, 64)
		wantCurrent(t, "then", "first")
	})
	if fresh.mark != 0 {
		t.Errorf("mark %d", fresh.mark)
	}
}

// Where no Go code may run nothing is touched.
func TestGuarded(t *testing.T) {
	w := workWorld(t)
	c, fresh := newChan(), newChan()
	w.request(8, func() { w.send(c) })
	g := worker(w)
	w.as(g, func() {
		g.m.locks = 1
		w.send(fresh)
		w.receive(loopPC, c)
		w.rangeOver(loopPC, c)
		w.try(c, unsafe.Pointer(&someElem), true)
		w.selects(loopPC, 1, 1, true, unsafe.Pointer(&someElem), fresh, c)
		g.m.locks = 0
		wantCurrent(t, "then", "first")
		if fresh.mark != 0 || slot(unsafe.Pointer(g)).goid == g.goid {
			t.Errorf("mark %d, or a state of its own", fresh.mark)
		}
		// Locks that were taken while it waited: the record goes all the same.
		w.receiveWhile(loopPC, c, true, nil, func() { g.m.locks = 1 })
		g.m.locks = 0
		if w.g.slot.top != 0 {
			t.Error("a record is left")
		}
	})
}

// A worker with a state of its own, below a span that has ended on another goroutine.
func TestEndedElsewhere(t *testing.T) {
	w := workWorld(t)
	c := newChan()
	w.request(8, func() { w.send(c) })
	g := worker(w)
	var s *Scope
	w.as(g, func() { s = Enter(unsafe.Pointer(&thing{name: "job"}), 7) })
	s.End()
	w.as(g, func() {
		w.receive(loopPC, c)
		wantCurrent(t, "then", "")
	})
}

func TestEndedRequestIsForgotten(t *testing.T) {
	w := workWorld(t)
	var reader, writer *fakeG
	w.request(9, func() { reader, writer = w.start(2), w.start(3) })
	w.as(reader, func() { w.receive(otherPC, newChan()) })
	c := newChan()
	w.as(writer, func() { w.send(c) })
	if reader.slot != nil || writer.slot != nil {
		t.Error("a slot still holds what has ended")
	}
	if c.mark != 0 {
		t.Errorf("mark %d by nobody", c.mark)
	}
}

func TestDetachIsForOneGoroutine(t *testing.T) {
	w := workWorld(t)
	g := worker(w)
	var child *fakeG
	w.as(g, func() {
		s, _ := enterValue("own")
		s.Leave()
		child = w.start(3)
		Detach()
		wantCurrent(t, "detached", "")
		w.as(w.start(4), func() { wantCurrent(t, "started then", "") })
	})
	w.as(child, func() { wantCurrent(t, "started before", "first") })
}

func TestNothingIsAllocatedPerReceive(t *testing.T) {
	w := workWorld(t)
	a, b := newChan(), newChan()
	g := worker(w)
	w.as(g, func() {
		n := testing.AllocsPerRun(100, func() {
			for _, c := range []*fakeChan{a, b} {
				w.receive(loopPC, c)
				w.send(c)
			}
		})
		if n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func TestTags(t *testing.T) {
	workWorld(t)
	for _, size := range []uintptr{1, 2} {
		link.MarkSize = size
		for trace := range uint64(3 << 16) {
			if tag := tagOf(trace); (trace == 0) != (tag == 0) || tag >= shared() {
				t.Fatalf("size %d: tag %d of trace %d", size, tag, trace)
			}
		}
	}
	link.MarkSize = 0
	if tagOf(1) != 0 {
		t.Error("a tag without room for marks")
	}
}

// A mark of one byte leaves its neighbours alone.
func TestNarrowMarks(t *testing.T) {
	w := workWorld(t)
	link.MarkOff, link.MarkSize = link.MarkOff+1, 1
	c := &fakeChan{elemsize: 0x1234, mark: 0x0056, closed: ^uint32(0)}
	w.request(8, func() { w.send(c) })
	if *c != (fakeChan{elemsize: 0x1234, mark: tagOf(8)<<8 | 0x56, closed: ^uint32(0)}) {
		t.Fatalf("%#v", c)
	}
	w.as(worker(w), func() {
		w.receive(loopPC, c)
		wantCurrent(t, "then", "")
	})
	w.request(9, func() { w.send(c) })
	if *c != (fakeChan{elemsize: 0x1234, mark: 0xff56, closed: ^uint32(0)}) {
		t.Fatalf("%#v", c)
	}
}

func TestHashIsThatOfTheLinkStep(t *testing.T) {
	for _, c := range []struct {
		name  string
		place uint32
		want  uint64
	}{{"main.loop", 0x123, 0xc61b31c7ea9ed198}, {"a.b", 0, 0x6a9d518279dda0c4}, {"a.b", 0x10000, 0x65d7ccb04b948d17}} {
		if got := hash(c.name, c.place); got != c.want {
			t.Errorf("%s+%#x: %#x, want %#x", c.name, c.place, got, c.want)
		}
	}
}
