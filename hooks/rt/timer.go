package rt

// StartTimer notes the time at which a before hook that measures the call begins.
//
//go:nosplit
//go:norace
func (c *Call) StartTimer() { c.start = link.Nanotime() }

// Elapsed returns the nanoseconds since StartTimer of a call that has returned, and not ok for one that was unwound: it ended some
// time ago.
//
//go:nosplit
//go:norace
func (c *Call) Elapsed() (ns int64, ok bool) {
	return link.Nanotime() - c.start, c.phase == phaseReturned
}
