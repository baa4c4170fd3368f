package rt

import "unsafe"

// Search asks about what is current on this goroutine, the innermost first, and last about what it has inherited, until the answer is
// yes. It returns what was accepted, nil if nothing was. Unlike [Current] it leaves no scope.
//
//go:norace
func Search(wanted func(value unsafe.Pointer) bool) unsafe.Pointer {
	g := current()
	if g == nil || !isOn() {
		return nil
	}
	n := slot(g)
	if n == nil || n.suppressed {
		return nil
	}
	if n.goid != goid(g) {
		if n.private {
			return nil
		}
		return n.cell.get(wanted)
	}
	for s := n.owner.scope; s != nil; s = s.outer {
		if v := s.cell.get(wanted); v != nil {
			return v
		}
	}
	return n.owner.base.cell.get(wanted)
}
