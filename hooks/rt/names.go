package rt

import "sync/atomic"

// Instrumentations calls f with the name of every hook's instrumentation, and whether that hook is on. A name comes as often as it has hooks.
// Hooks that only support others are left out.
//
//go:norace
func Instrumentations(f func(name string, on bool)) {
	for _, d := range link.Descs {
		if d.dropped() {
			continue
		}
		for i := range d.Hooks {
			if h := &d.Hooks[i]; h.Flags&HookSupport == 0 {
				f(h.Instr, atomic.LoadUint32(&h.On) != 0)
			}
		}
	}
}
