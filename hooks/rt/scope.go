package rt

import "unsafe"

// What is current on a goroutine, such as the innermost open span. This package knows nothing of spans: it keeps pointers, all of
// one type, for the one package that puts them here.
//
// A goroutine's slot points to the node of its innermost scope, so a goroutine that is started inherits that node: of it, it
// reads fields that never change, and the cell, which is emptied once and for all when the scope is left. So what has ended
// is nobody's parent any more, however long those live that inherited it, and is not kept in memory by them either.

// Scope is a stretch of a goroutine's work during which something is current, or is not handed on. Its methods may be called on
// nil, which is what a program gets that was not linked by otelobj.
type Scope struct {
	node          // what the slot points to while this is the innermost scope
	outer  *Scope // on the same goroutine; only the owner looks at this and what follows
	depth  uint32
	shares bool // the cell is that of the scope around it, and stays open
}

// cell holds what is current until its scope is left. It is an object of its own: a goroutine that inherits it keeps nothing else alive. The word
// is read and written plainly: an atomic access would order goroutines before each other in the eyes of the race detector, and hide races of
// the program's own.
type cell struct{ value unsafe.Pointer }

// get returns what is in the cell, nil if there is none or it is not open any more.
//
//go:norace
func (c *cell) get(open func(value unsafe.Pointer) bool) unsafe.Pointer {
	if c == nil {
		return nil
	}
	v := c.value
	if v == nil || open != nil && !open(v) {
		return nil
	}
	return v
}

// heritage returns what a goroutine that finds n in its slot has inherited, and its tag.
//
//go:norace
func heritage(n *node) (*cell, uint16) {
	if n == nil || n.private || n.suppressed || n.cell.get(nil) == nil {
		return nil, 0
	}
	return n.cell, n.tag
}

// Current returns what is current on this goroutine: that of the innermost scope which open accepts, else what the goroutine has
// inherited from the one that started it.
//
//go:norace
func Current(open func(value unsafe.Pointer) bool) unsafe.Pointer {
	g := current()
	if g == nil || !isOn() {
		return nil
	}
	n := slot(g)
	if n == nil {
		return nil
	}
	own := n.goid == goid(g)
	if c := n.cell; c != nil && (own || !n.private) {
		if v := c.value; v != nil && (open == nil || open(v)) {
			return v
		}
	}
	if !own || n.suppressed || n.cell == nil && n.owner.scope == nil {
		return nil
	}
	return n.owner.innermost(g, open)
}

// innermost looks through the scopes of the goroutine. Those on top that are over are left: they ended elsewhere.
//
//go:norace
func (r *goroutine) innermost(g unsafe.Pointer, open func(value unsafe.Pointer) bool) unsafe.Pointer {
	for s := r.scope; s != nil; s = s.outer {
		if v := s.cell.get(open); v != nil {
			return v
		}
		if s == r.scope {
			r.leaveTo(s.outer, g)
		}
	}
	return r.base.cell.get(open)
}

// Find returns the innermost scope of this goroutine whose value is accepted, nil if there is none.
//
//go:norace
func Find(wanted func(value unsafe.Pointer) bool) *Scope {
	g := current()
	if g == nil || !isOn() {
		return nil
	}
	n := slot(g)
	if n == nil || n.goid != goid(g) {
		return nil
	}
	for s := n.owner.scope; s != nil; s = s.outer {
		if !s.shares && s.cell.get(wanted) != nil {
			return s
		}
	}
	return nil
}

// InHook reports whether a hook is running on this goroutine.
//
//go:norace
func InHook() bool {
	g := current()
	if g == nil || !isOn() {
		return false
	}
	n := slot(g)
	return n != nil && n.goid == goid(g) && n.owner.busy&busyHook != 0
}

// GoroutineID returns the ID of this goroutine, as tracebacks print it; 0 in a program that was not linked by otelobj.
//
//go:norace
func GoroutineID() uint64 {
	g := current()
	if g == nil || !isOn() {
		return 0
	}
	return goid(g)
}

// Enter makes value current on this goroutine and on those that it starts, until the scope is left. trace tells what belongs together:
// values that have it in common are of one request; 0: not known.
//
//go:norace
func Enter(value unsafe.Pointer, trace uint64) *Scope {
	g := current()
	if g == nil || !isOn() {
		return nil
	}
	return own(g).enter(g, node{cell: &cell{value}, settled: true, tag: tagOf(trace)})
}

// EnterAlone is Enter for this goroutine alone: those that it starts meanwhile inherit nothing.
//
//go:norace
func EnterAlone(value unsafe.Pointer) *Scope {
	g := current()
	if g == nil || !isOn() {
		return nil
	}
	return own(g).enter(g, node{cell: &cell{value}, settled: true, private: true})
}

// HoldBack keeps what is current from goroutines that are started until the scope is left.
//
//go:norace
func HoldBack() *Scope {
	g := current()
	if g == nil || !isOn() {
		return nil
	}
	inherited, _ := heritage(slot(g))
	if inherited == nil {
		return nil
	}
	s := own(g).enter(g, node{cell: inherited, private: true})
	if s != nil {
		s.shares = true
	}
	return s
}

// maxScopes bounds what a goroutine keeps if its scopes are never left: then it begins anew.
const maxScopes = 256

// enter opens a scope. Nothing is current where hooks are suppressed.
//
//go:norace
func (r *goroutine) enter(g unsafe.Pointer, n node) *Scope {
	now := slot(g)
	if now.suppressed {
		return nil
	}
	n.top, n.goid, n.owner = now.top, now.goid, r
	s := &Scope{node: n, outer: r.scope, depth: 1}
	if s.outer != nil {
		s.depth = s.outer.depth + 1
	}
	if s.depth > maxScopes {
		s.outer, s.depth = nil, 1
	}
	r.scope = s
	setSlot(g, &s.node)
	return s
}

// Leave ends the scope, and what was opened inside of it on the same goroutine is not current there any more. It may be called
// on any goroutine, and more than once.
//
//go:norace
func (s *Scope) Leave() {
	if g := s.close(); g != nil {
		for t := s.owner.scope; t != nil; t = t.outer {
			if t == s {
				s.owner.leaveTo(s.outer, g)
				return
			}
		}
	}
}

// End ends the scope alone: those that were opened inside of it stay. It may be called on any goroutine, and more than once.
//
//go:norace
func (s *Scope) End() {
	if g := s.close(); g != nil {
		for r := s.owner; r.scope != nil && r.scope.cell.get(nil) == nil; {
			r.leaveTo(r.scope.outer, g)
		}
	}
}

// close empties the cell. It returns the running goroutine's g if the scopes of the owner may be changed here: elsewhere the owner
// will see that the cell is empty.
//
//go:norace
func (s *Scope) close() unsafe.Pointer {
	if s == nil {
		return nil
	}
	if !s.shares {
		s.cell.value = nil
	}
	if g := current(); g != nil && goid(g) == s.goid && !slot(g).suppressed {
		return g
	}
	return nil
}

// leaveTo makes outer the innermost scope; nil: the goroutine has none.
//
//go:norace
func (r *goroutine) leaveTo(outer *Scope, g unsafe.Pointer) {
	n := r.base
	if outer != nil {
		n = &outer.node
	}
	n.top = slot(g).top
	r.scope = outer
	setSlot(g, n)
}

// Detach makes the goroutine forget what it has inherited. It is for goroutines that work for many requests: it must be called at
// their beginning.
//
//go:norace
func Detach() {
	g := current()
	if g == nil || !isOn() {
		return
	}
	if n := slot(g); n != nil && !n.suppressed {
		forget(n, g)
	}
}

// forget makes a goroutine forget what it has inherited. Others that have inherited the same do not.
//
//go:norace
func forget(n *node, g unsafe.Pointer) {
	if n.goid != goid(g) {
		setSlot(g, nil)
		return
	}
	r := n.owner
	r.base = &node{top: n.top, goid: n.goid, owner: r}
	if r.scope == nil {
		setSlot(g, r.base)
	}
}

// onSystemGoroutine is called at the entry of goroutines of the runtime, which any goroutine may happen to start.
//
//go:nosplit
//go:norace
//go:nocheckptr
func onSystemGoroutine(_ *Desc, _, g unsafe.Pointer) bool {
	if isOn() {
		setSlot(g, nil)
	}
	return false
}
