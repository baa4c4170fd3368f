package rt

import (
	"reflect"
	"testing"
	"unsafe"
)

// A fake of what the link step and the runtime provide: a g and an m of our own layout, and a piece of the heap for a stack.

type fakeM struct {
	curg       *fakeG
	locks      int32
	mallocing  int32
	preemptoff string
}

type fakeG struct {
	lo, hi     uintptr
	stackguard uintptr // 0: there is always room
	m          *fakeM
	goid       uint64
	throwsplit bool
	param      unsafe.Pointer
	panicking  unsafe.Pointer
	slot       *node
}

// fakePanic is what a panic has on the stack.
type fakePanic struct{ fp uintptr }

type world struct {
	t     testing.TB
	g     *fakeG
	m     *fakeM
	stack []unsafe.Pointer // pointers, so that what is stored here stays alive
}

const stackWords = 1024

func typeOf(v any) unsafe.Pointer { return unsafe.Pointer((*eface)(unsafe.Pointer(&v)).typ) }

// typeFor returns the descriptor of T, which may be an interface type.
func typeFor[T any]() unsafe.Pointer {
	rt := reflect.TypeFor[T]()
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&rt))[1]
}

// rtype turns a descriptor into reflect's view of it.
func rtype(typ unsafe.Pointer) reflect.Type {
	rt := reflect.TypeFor[int]()
	(*[2]unsafe.Pointer)(unsafe.Pointer(&rt))[1] = typ
	return rt
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t}
	w.g, w.m = w.newG(1)
	w.stack = make([]unsafe.Pointer, stackWords)
	w.place(w.stack)
	size := unsafe.Sizeof(fakeG{})
	link = linkInfo{
		Version:       linkVersion,
		SlotOff:       unsafe.Offsetof(fakeG{}.slot),
		GoidOff:       unsafe.Offsetof(fakeG{}.goid),
		MOff:          unsafe.Offsetof(fakeG{}.m),
		ThrowsplitOff: unsafe.Offsetof(fakeG{}.throwsplit),
		ParamOff:      unsafe.Offsetof(fakeG{}.param),
		PanicOff:      unsafe.Offsetof(fakeG{}.panicking),
		FpOff:         unsafe.Offsetof(fakePanic{}.fp),
		CurgOff:       unsafe.Offsetof(fakeM{}.curg),
		LocksOff:      unsafe.Offsetof(fakeM{}.locks),
		MallocingOff:  unsafe.Offsetof(fakeM{}.mallocing),
		PreemptoffOff: unsafe.Offsetof(fakeM{}.preemptoff),
		GType:         unsafe.Pointer(&size),
		GSize:         size,
		UnsafeNew: func(typ unsafe.Pointer) unsafe.Pointer {
			return reflect.New(rtype(typ)).UnsafePointer()
		},
		TypedMemmove: func(typ, dst, src unsafe.Pointer) {
			rt := rtype(typ)
			reflect.NewAt(rt, dst).Elem().Set(reflect.NewAt(rt, src).Elem())
		},
		AssertE2I: func(inter, typ unsafe.Pointer) unsafe.Pointer {
			v := reflect.New(rtype(inter))
			v.Elem().Set(reflect.Zero(rtype(typ)))
			return *(*unsafe.Pointer)(v.UnsafePointer())
		},
	}
	state = stateUnknown
	current = func() unsafe.Pointer { return unsafe.Pointer(w.g) }
	hookPanics, mismatches, refusals = 0, 0, 0
	t.Cleanup(func() {
		link = linkInfo{}
		state = stateUnknown
		current = getg
	})
	return w
}

func (w *world) newG(goid uint64) (*fakeG, *fakeM) {
	g, m := &fakeG{goid: goid}, &fakeM{}
	g.m, m.curg = m, g
	return g, m
}

// place makes block the stack of w.g.
func (w *world) place(block []unsafe.Pointer) {
	w.stack = block
	w.g.lo = uintptr(unsafe.Pointer(&block[0]))
	w.g.hi = w.g.lo + uintptr(len(block))*ptrSize
}

// at returns the address at a distance (bytes, a multiple of the word size) from the stack's upper end.
func (w *world) at(dist int) unsafe.Pointer {
	return unsafe.Pointer(&w.stack[len(w.stack)-dist/int(ptrSize)])
}

func (w *world) enter(d *Desc, dist int) bool {
	return enter(d, w.at(dist), unsafe.Pointer(w.g))
}

// exit leaves the results area 512 bytes below the args area.
func (w *world) exit(d *Desc, dist int) {
	exit(d, w.at(dist+512), w.at(dist), unsafe.Pointer(w.g))
}

func (w *world) panic(dist int, val any) {
	*(*any)(w.at(dist)) = val
	onPanic(nil, w.at(dist), unsafe.Pointer(w.g))
}

// unwind makes a panic, whose own place is at a distance, look for deferred calls, and find those of the frame that ends at another.
func (w *world) unwind(dist, frame int) {
	p, d := (*fakePanic)(w.at(dist)), desc("runtime.(*_panic).nextFrame")
	w.g.panicking = unsafe.Pointer(p)
	onNextFrame(d, w.at(dist+16), unsafe.Pointer(w.g))
	p.fp = uintptr(w.at(frame))
	if w.top() == dist+16 { // as the exit stub asks
		onFrameFound(d, w.at(dist+528), w.at(dist+16), unsafe.Pointer(w.g))
	}
}

func (w *world) goexit(dist int) { onGoexit(nil, w.at(dist), unsafe.Pointer(w.g)) }

func (w *world) end() { onGoroutineEnd(nil, w.at(8), unsafe.Pointer(w.g)) }

func (w *world) top() int {
	if w.g.slot == nil {
		return -1
	}
	return int(w.g.slot.top)
}

// hookFunc is a hook as tests write it.
type hookFunc func(c *Call, args, results, boxes unsafe.Pointer)

func thunkOf(f hookFunc) unsafe.Pointer {
	if f == nil {
		return nil
	}
	var t thunk = func(_, ctx, args, results, boxes unsafe.Pointer) {
		// Machine code defers catch at no cost, and does not run it when the hook returns.
		returned := false
		defer func() {
			if !returned {
				broken(recover())
			}
		}()
		f((*Call)(ctx), args, results, boxes)
		returned = true
	}
	return *(*unsafe.Pointer)(unsafe.Pointer(&t))
}

func hook(rule string, before, after hookFunc) Hook {
	return Hook{Rule: rule, Instr: "instr-" + rule, On: 1, Before: thunkOf(before), After: thunkOf(after)}
}

func desc(name string, hooks ...Hook) *Desc {
	return &Desc{
		On: uint32(len(hooks)), Flags: DescHasExit, Func: name, Pkg: "main",
		ArgsSize: 256, ResultsSize: 256, Hooks: hooks,
	}
}

// log collects what hooks did.
type log struct{ lines []string }

func (l *log) add(line string) { l.lines = append(l.lines, line) }

func (l *log) hook(name string) Hook {
	return hook(name,
		func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { l.add("before " + name) },
		func(c *Call, _, _, _ unsafe.Pointer) {
			if _, _, ok := c.Unwound(); ok {
				l.add("unwound " + name)
			} else {
				l.add("after " + name)
			}
		})
}

func (l *log) want(t *testing.T, lines ...string) {
	t.Helper()
	if len(lines) == 0 && len(l.lines) == 0 {
		return
	}
	if !reflect.DeepEqual(l.lines, lines) {
		t.Errorf("hooks did\n%q, want\n%q", l.lines, lines)
	}
	l.lines = nil
}
