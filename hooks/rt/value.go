package rt

import "unsafe"

// abiType is the beginning of internal/abi.Type, the same from Go 1.22 to 1.27.
type abiType struct {
	size       uintptr
	ptrBytes   uintptr // the prefix that can hold pointers
	hash       uint32
	tflag      uint8
	align      uint8
	fieldAlign uint8
	kind       uint8
	equal      unsafe.Pointer
	gcData     unsafe.Pointer
	str        int32
	ptrToThis  int32
}

// sliceType is internal/abi.SliceType.
type sliceType struct {
	abiType
	elem *abiType
}

// eface is the layout of an any, iface that of other interfaces.
type eface struct {
	typ  *abiType
	data unsafe.Pointer
}

type iface struct {
	tab  *itab
	data unsafe.Pointer
}

type itab struct {
	inter *abiType
	typ   *abiType
}

const (
	kindMask   = 1<<5 - 1
	kindSlice  = 23
	kindString = 24
	directBit  = 1 << 5 // in kind up to Go 1.25, in tflag from 1.26 on

	maskProgram  = 1 << 6 // in kind, up to Go 1.23: gcData is no mask but makes one
	maskOnDemand = 1 << 4 // in tflag, from Go 1.24 on: gcData points to where the mask will be
)

// directInTFlag tells where directBit is, learned from a type that is certainly direct.
//
//go:norace
func directInTFlag() bool {
	var p any = (*int)(nil)
	return (*eface)(unsafe.Pointer(&p)).typ.kind&directBit == 0
}

// direct reports whether an interface holds a value of type t itself rather than a pointer to it.
//
//go:norace
func (t *abiType) direct() bool {
	if directInTFlag() {
		return t.tflag&directBit != 0
	}
	return t.kind&directBit != 0
}

// param returns parameter idx as an interface.
//
//go:norace
func (c *Call) param(idx int, g unsafe.Pointer) any {
	if c.phase != phaseBefore || uint(idx) >= uint(len(c.d.Params)) {
		return nil
	}
	v := &c.d.Params[idx]
	return keepable(view(v, at(g, c.dist-v.Off)), g)
}

// result returns result idx as an interface.
//
//go:norace
func (c *Call) result(idx int, g unsafe.Pointer) any {
	if uint(idx) >= uint(len(c.d.Results)) {
		return nil
	}
	switch c.phase {
	case phaseBefore:
		if idx < len(c.rets) {
			return c.rets[idx].val
		}
		return nil
	case phaseReturned:
		v := &c.d.Results[idx]
		return keepable(view(v, c.resultAt(v, g)), g)
	}
	v := &c.d.Results[idx]
	return view(v, zeros(v.Size))
}

// resultAt returns the address of a result of a call that has returned.
//
//go:norace
func (c *Call) resultAt(v *Value, g unsafe.Pointer) unsafe.Pointer {
	if v.Flags&ValueInArgs != 0 {
		return at(g, c.dist-v.Off)
	}
	return at(g, c.resDist-v.Off)
}

// box fills the boxes of the hook that is about to run. They belong to the goroutine: one hook runs at a time.
//
//go:norace
func (c *Call) box(list []int32, results bool) unsafe.Pointer {
	g := current()
	r := c.owner
	r.unbox()
	for _, i := range list {
		if results {
			r.boxes = append(r.boxes, c.result(int(i), g))
		} else {
			r.boxes = append(r.boxes, c.param(int(i), g))
		}
	}
	return unsafe.Pointer(unsafe.SliceData(r.boxes))
}

// unbox forgets what the last hook was shown: it must not live longer for it.
//
//go:norace
func (r *goroutine) unbox() {
	if len(r.boxes) != 0 {
		clear(r.boxes)
		r.boxes = r.boxes[:0]
	}
}

// view returns the value at p as an interface. The result may point into the stack.
//
//go:nocheckptr
//go:norace
func view(v *Value, p unsafe.Pointer) any {
	if v.Flags&ValueEface != 0 {
		return *(*any)(p)
	}
	var e eface
	switch {
	case v.Flags&ValueIface != 0:
		i := (*iface)(p)
		if i.tab == nil {
			return nil
		}
		e = eface{i.tab.typ, i.data}
	case v.Type == nil:
		return nil
	case (*abiType)(v.Type).direct():
		e = eface{(*abiType)(v.Type), *(*unsafe.Pointer)(p)}
	default:
		if link.UnsafeNew == nil || link.TypedMemmove == nil {
			return nil
		}
		e = eface{(*abiType)(v.Type), link.UnsafeNew(v.Type)}
		link.TypedMemmove(v.Type, e.data, p)
	}
	return *(*any)(unsafe.Pointer(&e))
}

// assign stores val at p, in an area of the stack, if a Go assignment could.
//
//go:nocheckptr
//go:norace
func assign(v *Value, p unsafe.Pointer, val any) bool {
	e := (*eface)(unsafe.Pointer(&val))
	switch {
	case e.typ == nil:
		clear(unsafe.Slice((*byte)(p), v.Size))
	case v.Flags&ValueEface != 0:
		*(*any)(p) = val
	case v.Flags&ValueIface != 0:
		tab := itabFor(v.Type, e.typ)
		if tab == nil {
			return false
		}
		*(*iface)(p) = iface{tab, e.data}
	case v.Type == nil || e.typ != (*abiType)(v.Type):
		return false
	case e.typ.direct():
		*(*unsafe.Pointer)(p) = e.data
	case link.TypedMemmove == nil:
		return false
	default:
		link.TypedMemmove(v.Type, p, e.data)
	}
	return true
}

// itabFor returns the itab of typ for an interface type, nil if typ does not implement it.
//
//go:norace
func itabFor(inter unsafe.Pointer, typ *abiType) (tab *itab) {
	if inter == nil || link.AssertE2I == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			tab = nil
		}
	}()
	return (*itab)(link.AssertE2I(inter, unsafe.Pointer(typ)))
}
