package rt

import (
	"testing"
	"unsafe"
)

// put copies bytes into the fake stack at a distance and returns where they are.
func (w *world) put(dist int, text string) unsafe.Pointer {
	p := w.at(dist)
	copy(unsafe.Slice((*byte)(p), len(text)), text)
	return p
}

func (w *world) on(p unsafe.Pointer) bool { return onStack(p, unsafe.Pointer(w.g)) }

func TestStringOnStack(t *testing.T) {
	w := newWorld(t)
	var kept string
	d := desc("main.f", hook("f", func(c *Call, args, _, _ unsafe.Pointer) {
		kept = *(*string)(args)
		if got := c.GetParam(0); got != "stacked" {
			t.Errorf("GetParam: %v", got)
		}
	}, func(_ *Call, _, results, _ unsafe.Pointer) {
		kept = *(*string)(results)
	}))
	d.Params, d.Results = []Value{value[string](0)}, []Value{value[string](0)}
	p := w.put(4000, "stacked")
	*(*string)(w.at(64)) = unsafe.String((*byte)(p), 7)
	w.enter(d, 64)
	if kept != "stacked" || w.on(unsafe.Pointer(unsafe.StringData(kept))) {
		t.Errorf("the hook got %q", kept)
	}
	*(*string)(w.at(64 + 512)) = unsafe.String((*byte)(p), 7)
	w.exit(d, 64)
	if kept != "stacked" || w.on(unsafe.Pointer(unsafe.StringData(kept))) {
		t.Errorf("the hook got %q", kept)
	}
	w.put(4000, "!!!!!!!")
	if kept != "stacked" {
		t.Errorf("what the hook kept is %q now", kept)
	}
}

// The stack is moved while a hook runs; what was taken away for the hook comes back at the new place.
func TestSliceOnStackThatMoves(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(c *Call, s []byte)
		check  func(s, orig []byte) bool
	}{
		"untouched": {func(*Call, []byte) {}, func(s, orig []byte) bool {
			return unsafe.SliceData(s) == unsafe.SliceData(orig) && len(s) == 5 && cap(s) == 8
		}},
		"resliced": {func(c *Call, s []byte) { c.SetParam(0, s[2:3]) }, func(s, orig []byte) bool {
			return unsafe.SliceData(s) == &orig[2] && len(s) == 1 && cap(s) == 6
		}},
		"replaced": {func(c *Call, _ []byte) { c.SetParam(0, []byte("other")) }, func(s, _ []byte) bool {
			return string(s) == "other"
		}},
		"nil": {func(c *Call, _ []byte) { c.SetParam(0, nil) }, func(s, _ []byte) bool { return s == nil }},
	} {
		var kept []byte
		d := desc("main.f", hook("f", func(ctx *Call, args, _, _ unsafe.Pointer) {
			kept = *(*[]byte)(args)
			if string(kept) != "bytes" || cap(kept) != 8 || w.on(unsafe.Pointer(unsafe.SliceData(kept))) {
				t.Errorf("%s: the hook got %q", name, kept)
			}
			moved := make([]unsafe.Pointer, 2*stackWords)
			copy(moved[stackWords:], w.stack)
			w.place(moved)
			c.change(ctx, kept)
		}, nil))
		d.Params = []Value{value[[]byte](0)}
		p := w.put(4000, "bytes")
		*(*[]byte)(w.at(64)) = unsafe.Slice((*byte)(p), 8)[:5]
		w.enter(d, 64)
		if got := *(*[]byte)(w.at(64)); !c.check(got, unsafe.Slice((*byte)(w.at(4000)), 8)) {
			t.Errorf("%s: the function got %q", name, got)
		}
		w.place(make([]unsafe.Pointer, stackWords))
	}
}

func TestFlatSliceOfWideElements(t *testing.T) {
	w := newWorld(t)
	var kept []int64
	d := desc("main.f", hook("f", func(_ *Call, args, _, _ unsafe.Pointer) { kept = *(*[]int64)(args) }, nil))
	d.Params = []Value{value[[]int64](0)}
	s := unsafe.Slice((*int64)(w.at(4000)), 3)
	copy(s, []int64{1, 2, 3})
	*(*[]int64)(w.at(64)) = s
	w.enter(d, 64)
	s[0] = 9
	if kept[0] != 1 || kept[2] != 3 || w.on(unsafe.Pointer(&kept[0])) {
		t.Errorf("the hook kept %v", kept)
	}
	if got := *(*[]int64)(w.at(64)); &got[0] != &s[0] {
		t.Error("the function lost its slice")
	}
}

func TestResultSliceOnStack(t *testing.T) {
	w := newWorld(t)
	var kept []byte
	d := desc("main.f", hook("f", nil, func(_ *Call, args, results, _ unsafe.Pointer) {
		kept = append(kept, *(*[]byte)(results)...)
		kept = append(kept, *(*[]byte)(unsafe.Add(args, 32))...)
		if w.on(unsafe.Pointer(unsafe.SliceData(*(*[]byte)(unsafe.Add(args, 32))))) {
			t.Error("not replaced")
		}
	}))
	stacked := value[[]byte](32)
	stacked.Flags |= ValueInArgs
	d.Results = []Value{value[[]byte](0), stacked}
	w.enter(d, 64)
	p := w.put(4000, "bytes")
	*(*[]byte)(w.at(64 + 512)) = unsafe.Slice((*byte)(p), 5)
	*(*[]byte)(w.at(64 - 32)) = unsafe.Slice((*byte)(p), 5)
	w.exit(d, 64)
	a, b := *(*[]byte)(w.at(64 + 512)), *(*[]byte)(w.at(64 - 32))
	if string(kept) != "bytesbytes" || unsafe.Pointer(&a[0]) != p || unsafe.Pointer(&b[0]) != p {
		t.Errorf("the hook got %q", kept)
	}
}

func TestStackPointersAreRefused(t *testing.T) {
	w := newWorld(t)
	p := (*point)(w.at(4000))
	d := desc("main.f", hook("f", func(c *Call, _, _, _ unsafe.Pointer) {
		for i := range c.d.Params {
			if got := c.GetParam(i); got != nil {
				t.Errorf("GetParam(%d): %v", i, got)
			}
		}
		for i, v := range []any{p, named{"n", p}, ptrBox{p}, [2]*point{nil, p}, []*point{p}[:1:1], struct{ e any }{p}, unsafe.Pointer(p)} {
			c.SetData(v)
			if got := c.GetData(); got != nil && i != 4 { // the elements of a slice are on the heap, and so cannot be on the stack in real life
				t.Errorf("SetData(%d) kept %v", i, got)
			}
		}
		c.SetKeyData("k", p)
		if !c.HasKeyData("k") || c.GetKeyData("k") != nil {
			t.Error("SetKeyData kept a pointer")
		}
		c.SetReturnVal(0, p)
		if c.GetReturnVal(0) != nil {
			t.Error("SetReturnVal kept a pointer")
		}
	}, nil))
	d.Params = []Value{value[*point](0), value[named](8), value[any](32), value[error](48), value[[]*point](64), value[ptrBox](88)}
	d.Results = []Value{value[*point](0)}
	*(**point)(w.at(256)) = p
	*(*named)(w.at(256 - 8)) = named{"n", p}
	*(*any)(w.at(256 - 32)) = p
	*(*error)(w.at(256 - 48)) = (*pointErr)(unsafe.Pointer(p))
	*(*[]*point)(w.at(256 - 64)) = unsafe.Slice((**point)(w.at(3000)), 1)
	*(*ptrBox)(w.at(256 - 88)) = ptrBox{p}
	w.enter(d, 256)
	if StackRefusals() != 6+6+1+1 {
		t.Errorf("%d refusals", StackRefusals())
	}
}

type pointErr point

func (*pointErr) Error() string { return "" }

type mixed struct {
	n uintptr
	p *point
}

// A number, or padding, that looks like an address in the stack keeps no value from a hook.
func TestNumberLikeStackAddress(t *testing.T) {
	w := newWorld(t)
	var got any
	d := desc("main.f", hook("f", func(c *Call, _, _, _ unsafe.Pointer) { got = c.GetParam(0) }, nil))
	d.Params = []Value{value[mixed](0)}
	p := &point{1, 2}
	*(*mixed)(w.at(256)) = mixed{uintptr(w.at(4000)), p}
	w.enter(d, 256)
	if got != any(mixed{uintptr(w.at(4000)), p}) || StackRefusals() != 0 {
		t.Errorf("the hook got %v", got)
	}
}

// Interfaces may hold a box on the caller's stack; what is in it is copied.
func TestBoxOnStack(t *testing.T) {
	w := newWorld(t)
	var kept []any
	d := desc("main.f", hook("f", func(c *Call, _, _, _ unsafe.Pointer) {
		kept = append(kept, c.GetParam(0), c.GetParam(1))
	}, nil))
	d.Params = []Value{value[any](0), value[any](16)}
	*(*point)(w.at(4000)) = point{1, 2}
	*(*eface)(w.at(64)) = eface{(*abiType)(typeOf(point{})), w.at(4000)}
	*(*string)(w.at(3000)) = unsafe.String((*byte)(w.put(2000, "stacked")), 7)
	*(*eface)(w.at(48)) = eface{(*abiType)(typeOf("")), w.at(3000)}
	w.enter(d, 64)
	clear(w.stack)
	if kept[0] != any(point{1, 2}) || kept[1] != any("stacked") {
		t.Errorf("kept %v", kept)
	}
}

func TestSetDataCopies(t *testing.T) {
	w := newWorld(t)
	var l []any
	p := w.put(4000, "stacked!")
	d := desc("main.f", hook("f", func(c *Call, _, _, _ unsafe.Pointer) {
		c.SetData(unsafe.String((*byte)(p), 7))
		l = append(l, c.GetData())
		c.SetData(unsafe.Slice((*byte)(p), 7))
		l = append(l, c.GetData())
		c.SetData(map[string]any{})
		c.SetKeyData(unsafe.String((*byte)(p), 7), 1)
		for k := range c.GetData().(map[string]any) {
			l = append(l, k)
		}
	}, nil))
	w.enter(d, 64)
	w.put(4000, "????????")
	if l[0] != any("stacked") || string(l[1].([]byte)) != "stacked" || l[2] != any("stacked") {
		t.Errorf("kept %q", l)
	}
	if StackRefusals() != 0 {
		t.Errorf("%d refusals", StackRefusals())
	}
}

func TestPanicValueOnStack(t *testing.T) {
	w := newWorld(t)
	var got any = "unset"
	d := desc("main.f", hook("f", nil, func(c *Call, _, _, _ unsafe.Pointer) { got, _, _ = c.Unwound() }))
	w.enter(d, 64)
	w.panic(128, (*point)(w.at(4000)))
	w.end()
	if got != nil {
		t.Errorf("the panic value %v was kept", got)
	}
}

// hide keeps the compiler from seeing that p escapes, as it does not see what a stub does.
func hide(p unsafe.Pointer) unsafe.Pointer {
	x := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&x))
}

// With a real stack, whose values the compiler has placed there.
func TestRealStack(t *testing.T) {
	done := make(chan bool)
	go func() {
		defer close(done)
		if grow(400) == 0 {
			t.Error("no")
		}
		realStack(t)
	}()
	<-done
}

//go:noinline
func grow(n int) byte {
	var pad [128]byte
	pad[n%128] = 1
	if n == 0 {
		return pad[0]
	}
	return grow(n-1) | pad[n%128]
}

//go:noinline
func realStack(t *testing.T) {
	var args struct {
		s string
		b []byte
		p *point
	}
	text := [8]byte{'s', 't', 'a', 'c', 'k'}
	var pt point
	w := newWorld(t)
	here := uintptr(hide(unsafe.Pointer(&args)))
	w.g.lo, w.g.hi = here-16384, here+4096
	args.s = unsafe.String((*byte)(hide(unsafe.Pointer(&text))), 5)
	args.b = unsafe.Slice((*byte)(hide(unsafe.Pointer(&text))), 5)
	args.p = (*point)(hide(unsafe.Pointer(&pt)))
	var s string
	var b []byte
	var refused bool
	d := desc("main.f", hook("f", func(c *Call, a, _, _ unsafe.Pointer) {
		s, b = *(*string)(a), *(*[]byte)(unsafe.Add(a, 16))
		refused = c.GetParam(2) == nil
	}, nil))
	d.Params = []Value{value[string](0), value[[]byte](16), value[*point](40)}
	enter(d, hide(unsafe.Pointer(&args)), unsafe.Pointer(w.g))
	text = [8]byte{'X'}
	if s != "stack" || string(b) != "stack" || !refused {
		t.Errorf("the hook kept %q, %q, %v", s, b, refused)
	}
	if args.s != "stack" || args.b[0] != 'X' {
		t.Errorf("the function got %q, %q", args.s, args.b)
	}
}
