package rt

// Suppress runs f. Until it returns, no hook runs on this goroutine, nor ever on a goroutine that is started meanwhile, nor on
// those that they start.
//
//go:norace
func Suppress(f func()) {
	g := current()
	if g == nil || !isOn() {
		f()
		return
	}
	r := own(g)
	outer := slot(g)
	if outer.suppressed {
		f()
		return
	}
	setSlot(g, &node{goid: r.first.goid, suppressed: true, owner: r})
	r.busy |= busySuppressed
	defer r.resume(outer)
	f()
}

// resume ends a suppression: it puts back the node from before.
//
//go:norace
func (r *goroutine) resume(n *node) {
	r.busy &^= busySuppressed
	setSlot(current(), n)
}

// Suppressed reports whether hooks are suppressed on this goroutine.
//
//go:norace
func Suppressed() bool {
	g := current()
	if g == nil || !isOn() {
		return false
	}
	n := slot(g)
	return n != nil && n.suppressed
}
