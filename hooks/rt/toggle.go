package rt

import "sync/atomic"

// SetEnabled switches the hooks of an instrumentation, or of a single rule, on or off while the program runs. Calls that are open
// keep the hooks they began with. It returns how many hooks have the name.
//
//go:norace
func SetEnabled(name string, on bool) int {
	return setEnabled(func(h *Hook) bool { return h.named(name) }, on)
}

// SetAllEnabled switches all hooks on or off.
//
//go:norace
func SetAllEnabled(on bool) int {
	return setEnabled(func(*Hook) bool { return true }, on)
}

// SetTelemetryEnabled switches the hooks that make telemetry by themselves: the spans that rules ask for and the libraries that come with
// otelobj, whatever their names. It returns how many there are.
//
//go:norace
func SetTelemetryEnabled(on bool) int {
	return setEnabled((*Hook).makesTelemetry, on)
}

//go:norace
func (h *Hook) makesTelemetry() bool { return h.Flags&HookTelemetry != 0 }

//go:norace
func setEnabled(wanted func(*Hook) bool, on bool) int {
	want := uint32(0)
	if on {
		want = 1
	}
	found := 0
	for _, d := range link.Descs {
		if d.dropped() {
			continue
		}
		hit := false
		for i := range d.Hooks {
			if h := &d.Hooks[i]; wanted(h) {
				atomic.StoreUint32(&h.On, want)
				found++
				hit = true
			}
		}
		if hit {
			d.recount()
		}
	}
	return found
}

// Has reports whether hooks of an instrumentation or rule are in the program, on or off.
//
//go:norace
func Has(name string) bool {
	for _, d := range link.Descs {
		if d.dropped() {
			continue
		}
		for i := range d.Hooks {
			if d.Hooks[i].named(name) {
				return true
			}
		}
	}
	return false
}

// Enabled reports whether any hook of an instrumentation or rule is on.
//
//go:norace
func Enabled(name string) bool {
	for _, d := range link.Descs {
		if d.dropped() {
			continue
		}
		for i := range d.Hooks {
			if h := &d.Hooks[i]; h.named(name) && atomic.LoadUint32(&h.On) != 0 {
				return true
			}
		}
	}
	return false
}

//go:norace
func (h *Hook) named(name string) bool { return h.Instr == name || h.Rule == name }

// recount brings d.On in line with the hooks. Of several goroutines that switch at a time, the last one to write has seen them all.
//
//go:norace
func (d *Desc) recount() {
	for {
		old := atomic.LoadUint32(&d.On)
		n := d.countOn()
		if atomic.CompareAndSwapUint32(&d.On, old, n) && d.countOn() == n {
			return
		}
	}
}

//go:norace
func (d *Desc) countOn() uint32 {
	n := uint32(0)
	for i := range d.Hooks {
		if n < 255 && atomic.LoadUint32(&d.Hooks[i].On) != 0 {
			n++
		}
	}
	return n
}
