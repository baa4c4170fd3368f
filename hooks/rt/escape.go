package rt

import "unsafe"

// sliceHeader is the layout of a slice; stringHeader's is its first two words.
type sliceHeader struct {
	data unsafe.Pointer
	len  int
	cap  int
}

// sliceSwap is a slice on the stack that was replaced by a copy while hooks run.
type sliceSwap struct {
	place uintptr        // distance of the slice's header
	orig  uintptr        // distance of the elements in the stack
	copy  unsafe.Pointer // the copy
	size  uintptr        // its size in bytes
}

// onStack reports whether p points into g's stack.
//
//go:nosplit
//go:norace
func onStack(p, g unsafe.Pointer) bool {
	return uintptr(p)-stackLo(g) < stackHi(g)-stackLo(g)
}

// anyOnStack reports whether shield would have something to do.
//
//go:nosplit
//go:norace
//go:nocheckptr
//go:noinline
func anyOnStack(values []Value, args, results, g unsafe.Pointer) bool {
	lo := stackLo(g)
	size := stackHi(g) - lo
	for i := range values {
		v := &values[i]
		if v.Flags&(ValueString|ValueFlat) == 0 {
			continue
		}
		base := results
		if v.Flags&ValueInArgs != 0 {
			base = args
		}
		if word(base, v.Off)-lo < size {
			return true
		}
	}
	return false
}

// shield replaces what hooks could keep and what will not stay. A string's copy is left in place, strings being immutable; a
// slice gets its own elements back when the hooks are done.
//
//go:norace
//go:nocheckptr
func (r *goroutine) shield(values []Value, args, results, g unsafe.Pointer) {
	r.swaps = r.swaps[:0]
	for i := range values {
		v := &values[i]
		if v.Flags&(ValueString|ValueFlat) == 0 {
			continue
		}
		p := unsafe.Add(results, v.Off)
		if v.Flags&ValueInArgs != 0 {
			p = unsafe.Add(args, v.Off)
		}
		if !onStack(*(*unsafe.Pointer)(p), g) {
			continue
		}
		if v.Flags&ValueString != 0 {
			s := (*string)(p)
			*s = cloneString(*s)
			continue
		}
		h := (*sliceHeader)(p)
		size := uintptr(h.cap) * uintptr(v.ElemSize)
		if v.Flags&ValueSlice == 0 || size == 0 {
			continue
		}
		c := cloneFlat(h.data, size)
		r.swaps = append(r.swaps, sliceSwap{
			place: stackHi(g) - uintptr(p), orig: stackHi(g) - uintptr(h.data), copy: c, size: size,
		})
		h.data = c
	}
}

// unshield undoes the swaps. A hook may have set the slice to another one, or to a part of the copy.
//
//go:norace
//go:nocheckptr
func (r *goroutine) unshield(g unsafe.Pointer) {
	for i := range r.swaps {
		s := &r.swaps[i]
		h := (*sliceHeader)(at(g, s.place))
		if off := uintptr(h.data) - uintptr(s.copy); off < s.size {
			h.data = at(g, s.orig-off)
		}
		s.copy = nil
	}
	r.swaps = r.swaps[:0]
}

// cloneString copies a string to the heap.
//
//go:norace
func cloneString(s string) string {
	if s == "" {
		return ""
	}
	b := make([]byte, len(s))
	copy(b, s)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// cloneFlat copies size bytes without pointers to the heap, aligned for any type.
//
//go:nocheckptr
//go:norace
func cloneFlat(p unsafe.Pointer, size uintptr) unsafe.Pointer {
	w := make([]uint64, (size+7)/8)
	c := unsafe.Pointer(unsafe.SliceData(w))
	copy(unsafe.Slice((*byte)(c), size), unsafe.Slice((*byte)(p), size))
	return c
}

// keepableString returns s, or a copy of it if it is on the stack.
//
//go:norace
func keepableString(s string, g unsafe.Pointer) string {
	if onStack(unsafe.Pointer(unsafe.StringData(s)), g) {
		return cloneString(s)
	}
	return s
}

// keepable returns val in a form that outlives the stack it may point into: itself, a copy, or nil.
//
//go:norace
//go:nocheckptr
func keepable(val any, g unsafe.Pointer) any {
	e := (*eface)(unsafe.Pointer(&val))
	if e.typ == nil {
		return nil
	}
	if e.typ.direct() {
		if onStack(e.data, g) {
			return refuse()
		}
		return val
	}
	if onStack(e.data, g) { // a value that the caller boxed on its own stack
		if link.UnsafeNew == nil || link.TypedMemmove == nil {
			return refuse()
		}
		p := link.UnsafeNew(unsafe.Pointer(e.typ))
		link.TypedMemmove(unsafe.Pointer(e.typ), p, e.data)
		e.data = p
	}
	if e.typ.ptrBytes == 0 || !holdsStack(e.data, e.typ, g) {
		return val
	}
	switch e.typ.kind & kindMask {
	case kindString:
		s := cloneString(*(*string)(e.data))
		e.data = unsafe.Pointer(&s)
		return val
	case kindSlice:
		elem := (*sliceType)(unsafe.Pointer(e.typ)).elem
		if elem.ptrBytes != 0 {
			break
		}
		h := *(*sliceHeader)(e.data)
		h.data = cloneFlat(h.data, uintptr(h.cap)*elem.size)
		e.data = unsafe.Pointer(&h)
		return val
	}
	return refuse()
}

// holdsStack looks at the pointers of a value of type t. Where the type has its pointer mask made on demand, every word counts that
// can be a pointer, and a number that looks like an address in the stack is taken for one.
//
//go:norace
//go:nocheckptr
func holdsStack(p unsafe.Pointer, t *abiType, g unsafe.Pointer) bool {
	lo := stackLo(g)
	size := stackHi(g) - lo
	masked := t.kind&maskProgram == 0 && t.tflag&maskOnDemand == 0
	for off := uintptr(0); off < t.ptrBytes; off += ptrSize {
		if word(p, off)-lo >= size {
			continue
		}
		// A field smaller than a word has bytes beside it that nobody ever set.
		i := off / ptrSize
		if !masked || *(*uint8)(unsafe.Add(t.gcData, i/8))>>(i%8)&1 != 0 {
			return true
		}
	}
	return false
}
