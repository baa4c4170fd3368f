package rt

import (
	"sync"
	"testing"
	"unsafe"
)

// fakeChan has the shape of runtime.hchan as far as this package looks at it.
type fakeChan struct {
	count    uint64
	elemsize uint16
	mark     uint16
	closed   uint32
	timer    unsafe.Pointer
}

type fakeCase struct{ elem, c unsafe.Pointer }

const (
	loopPC  = 0x401000 // in a function that receives in a loop
	otherPC = 0x402000
)

// feedWorld also knows of channels. Functions begin at multiples of 0x1000.
func feedWorld(t *testing.T) *world {
	w := newWorld(t)
	link.MarkOff, link.MarkSize = unsafe.Offsetof(fakeChan{}.mark), unsafe.Sizeof(fakeChan{}.mark)
	link.ElemsizeOff, link.TimerOff = unsafe.Offsetof(fakeChan{}.elemsize), unsafe.Offsetof(fakeChan{}.timer)
	link.CaseSize, link.CaseChanOff = unsafe.Sizeof(fakeCase{}), unsafe.Offsetof(fakeCase{}.c)
	link.ReturnOff = 2 * ptrSize
	link.FuncForPC = func(pc uintptr) unsafe.Pointer {
		names := map[uintptr]string{loopPC: "main.loop", otherPC: "main.other"}
		entry := pc &^ 0xfff
		if names[entry] == "" {
			return nil
		}
		return unsafe.Pointer(&struct {
			entry uintptr
			name  string
		}{entry, names[entry]})
	}
	link.FuncEntry = func(f unsafe.Pointer) uintptr { return *(*uintptr)(f) }
	link.FuncName = func(f unsafe.Pointer) string { return *(*string)(unsafe.Add(f, ptrSize)) }
	link.Loops = []uint64{hash("main.loop")}
	loopSites = [256]uint64{}
	return w
}

func newChan() *fakeChan { return &fakeChan{elemsize: 8} }

// args makes the args area of a call from pc.
func (w *world) args(pc uintptr, words ...unsafe.Pointer) unsafe.Pointer {
	args := w.at(128)
	*(*uintptr)(unsafe.Add(args, -int(link.ReturnOff))) = pc + 8
	copy(unsafe.Slice((*unsafe.Pointer)(args), 8), words)
	return args
}

func (w *world) send(c *fakeChan) {
	onSend(nil, w.args(otherPC, unsafe.Pointer(c)), unsafe.Pointer(w.g))
}

func (w *world) receive(pc uintptr, c *fakeChan) {
	onReceive(nil, w.args(pc, unsafe.Pointer(c)), unsafe.Pointer(w.g))
}

// selects waits for any of the cases, of which the first n send.
func (w *world) selects(pc uintptr, n int, cases ...*fakeChan) {
	list := make([]fakeCase, len(cases))
	for i, c := range cases {
		list[i].c = unsafe.Pointer(c)
	}
	args := w.args(pc, unsafe.Pointer(&list[0]))
	*(*uintptr)(unsafe.Add(args, selectSends)) = uintptr(n)
	*(*uintptr)(unsafe.Add(args, selectReceives)) = uintptr(len(cases) - n)
	onSelect(nil, args, unsafe.Pointer(w.g))
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
	w := feedWorld(t)
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
		w.receive(loopPC, c)
		wantCurrent(t, "after work of the same trace", "first")
	})
}

func TestWorkerForgetsWhenAnotherTraceSends(t *testing.T) {
	w := feedWorld(t)
	c := newChan()
	g := worker(w)
	w.send(c)
	var child *fakeG
	w.as(g, func() {
		w.receive(loopPC, c)
		child = w.start(3)
	})
	w.request(8, func() { w.send(c) })
	for _, g := range []*fakeG{g, child} {
		w.as(g, func() { wantCurrent(t, "when another has sent", "") })
	}
	w.send(c)
	w.as(g, func() {
		wantCurrent(t, "when the first has sent again", "")
		s, _ := enterValue("own")
		wantCurrent(t, "in a span of its own", "own")
		s.Leave()
		w.receive(loopPC, c)
		wantCurrent(t, "at the next receive", "")
		if n := slot(unsafe.Pointer(w.g)); n.tag != 0 {
			t.Errorf("the stub would ask again: tag %d", n.tag)
		}
	})
	wantCurrent(t, "the request itself", "first")
}

func TestWorkerOfASharedChannelForgetsAtOnce(t *testing.T) {
	w := feedWorld(t)
	c := newChan()
	w.request(8, func() { w.send(c) })
	w.as(worker(w), func() {
		wantCurrent(t, "before the first receive", "first")
		w.receive(loopPC, c)
		wantCurrent(t, "then", "")
		if w.g.slot != nil {
			t.Error("the stub would ask again")
		}
	})
	// On a goroutine that has a state of its own.
	g := w.start(3)
	w.as(g, func() {
		s, _ := enterValue("own")
		s.Leave()
		other := w.start(4)
		w.receive(loopPC, c)
		wantCurrent(t, "then", "")
		w.as(other, func() { wantCurrent(t, "what it had started before", "first") })
	})
}

func TestNoWorkers(t *testing.T) {
	w := feedWorld(t)
	c := newChan()
	w.request(8, func() { w.send(c) })
	signal, timer := &fakeChan{}, newChan()
	timer.timer = unsafe.Pointer(timer)
	w.request(8, func() { w.send(signal); w.send(timer) })
	g := worker(w)
	w.as(g, func() {
		w.receive(otherPC, c)
		wantCurrent(t, "after a receive that is in no loop", "first")
		w.receive(0x999000, c)
		wantCurrent(t, "after one from nowhere", "first")
		w.receive(loopPC, nil)
		wantCurrent(t, "after one from no channel", "first")
		w.receive(loopPC, signal)
		w.selects(loopPC, 0, signal, timer, nil)
		wantCurrent(t, "after signals", "first")
		onRange(nil, w.args(loopPC, unsafe.Pointer(timer)), unsafe.Pointer(w.g))
		wantCurrent(t, "after the clock", "first")
		s := Enter(unsafe.Pointer(&thing{name: "own"}), 7)
		w.receive(loopPC, c)
		wantCurrent(t, "in a span of its own", "own")
		s.Leave()
		wantCurrent(t, "behind it", "first")
		onRange(nil, w.args(loopPC, unsafe.Pointer(signal)), unsafe.Pointer(w.g))
		wantCurrent(t, "in a loop over signals", "")
	})
	w.receive(loopPC, c)
	wantCurrent(t, "the request itself", "first")
}

func TestTryReceive(t *testing.T) {
	w := feedWorld(t)
	c := newChan()
	w.request(8, func() { w.send(c) })
	w.as(worker(w), func() {
		onTry(nil, w.args(loopPC, unsafe.Pointer(t), unsafe.Pointer(c)), unsafe.Pointer(w.g))
		wantCurrent(t, "then", "")
	})
}

func TestSelects(t *testing.T) {
	w := feedWorld(t)
	a, b := newChan(), newChan()
	g := worker(w)
	w.as(g, func() {
		w.selects(loopPC, 0, a, b)
		w.selects(loopPC, 0, a, b)
		wantCurrent(t, "nobody has sent", "first")
		if n := w.g.slot.owner.scope; n.outer != nil || n.depth != 1 {
			t.Error("scopes pile up")
		}
	})
	w.request(8, func() { w.selects(otherPC, 1, b) })
	w.as(g, func() { wantCurrent(t, "another has sent by a select", "") })
	// A sender marks its channels, whichever it sends on.
	w.selects(otherPC, 2, a, b)
	if a.mark != tagOf(7) || b.mark != shared() {
		t.Errorf("marks %d and %d, want %d and %d", a.mark, b.mark, tagOf(7), shared())
	}
}

func TestManyChannels(t *testing.T) {
	w := feedWorld(t)
	g := worker(w)
	last := newChan()
	w.as(g, func() {
		for range 3 * maxScopes {
			last = newChan()
			w.receive(loopPC, last)
		}
		wantCurrent(t, "after many channels", "first")
		if s := w.g.slot.owner.scope; s.outer != nil {
			t.Error("scopes pile up")
		}
		for range 2 * maxScopes {
			enterValue("never left")
		}
	})
	w.request(8, func() { w.send(last) })
	w.as(g, func() {
		for s := w.g.slot.owner.scope; s != nil && s.feed == nil; s = w.g.slot.owner.scope {
			s.Leave()
		}
		wantCurrent(t, "behind scopes that were never left", "")
	})
}

func TestChainOfWorkers(t *testing.T) {
	w := feedWorld(t)
	g := worker(w)
	for i := range uint64(maxFeeds) {
		w.as(g, func() {
			w.receive(loopPC, newChan())
			wantCurrent(t, "in a chain", "first")
			g = w.start(10 + i)
		})
	}
	w.as(g, func() {
		w.receive(loopPC, newChan())
		wantCurrent(t, "at its end", "")
	})
}

func TestWorkerOfAWorker(t *testing.T) {
	w := feedWorld(t)
	outer, inner := newChan(), newChan()
	var child *fakeG
	w.as(worker(w), func() {
		w.receive(loopPC, outer)
		child = w.start(3)
	})
	w.as(child, func() {
		w.receive(loopPC, inner)
		wantCurrent(t, "both fed by one trace", "first")
	})
	w.request(8, func() { w.send(outer) })
	w.as(child, func() { wantCurrent(t, "when the outer one serves others", "") })
}

func TestSuppressedAndHeldBack(t *testing.T) {
	w := feedWorld(t)
	c := newChan()
	w.request(8, func() { w.send(c) })
	Enter(unsafe.Pointer(&thing{name: "first"}), 7)
	Suppress(func() {
		w.as(w.start(2), func() {
			w.receive(loopPC, c)
			if !Suppressed() {
				t.Error("a worker that is suppressed is so no longer")
			}
			w.send(newChan())
		})
	})
	fresh := newChan()
	s := HoldBack()
	w.send(fresh)
	if fresh.mark != 0 {
		t.Errorf("mark %d where nothing is handed on", fresh.mark)
	}
	s.Leave()
	g := w.start(3)
	w.as(g, func() {
		w.receive(loopPC, fresh)
		s := HoldBack()
		wantCurrent(t, "held back", "first")
		w.as(w.start(4), func() { wantCurrent(t, "started meanwhile", "") })
		s.Leave()
		wantCurrent(t, "held back no longer", "first")
	})
}

func TestEndedRequestIsForgotten(t *testing.T) {
	w := feedWorld(t)
	var g *fakeG
	w.request(9, func() { g = w.start(2) })
	w.as(g, func() {
		w.receive(otherPC, newChan())
		if w.g.slot != nil {
			t.Error("the slot still holds what has ended")
		}
		c := newChan()
		w.send(c)
		if c.mark != 0 {
			t.Errorf("mark %d by nobody", c.mark)
		}
	})
}

func TestTags(t *testing.T) {
	feedWorld(t)
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

// A mark of one byte must leave its neighbours alone, and none may get lost.
func TestMarksOfManySenders(t *testing.T) {
	feedWorld(t)
	link.MarkOff, link.MarkSize = 11, 1
	for range 100 {
		c := &fakeChan{count: 1, elemsize: 0x1234, mark: 0x0056, closed: ^uint32(0)}
		var all sync.WaitGroup
		for tag := uint16(1); tag <= 4; tag++ {
			all.Add(1)
			go func() { defer all.Done(); sent(unsafe.Pointer(c), tag) }()
		}
		all.Wait()
		if *c != (fakeChan{count: 1, elemsize: 0x1234, mark: 0xff56, closed: ^uint32(0)}) {
			t.Fatalf("%#v", c)
		}
	}
}
