package rt

import "sync/atomic"

// Counters of what went wrong in hooks. Only the first of each kind is printed.
var hookPanics, mismatches, refusals uint64

// HookPanics returns how many panics of hooks were recovered.
//
//go:norace
func HookPanics() uint64 { return atomic.LoadUint64(&hookPanics) }

// Mismatches returns how many values given to SetParam or SetReturnVal were ignored because of their type or index, and calls of
// SetSkipCall where skipping is not possible.
//
//go:norace
func Mismatches() uint64 { return atomic.LoadUint64(&mismatches) }

// StackRefusals returns how many values were not shown or not kept because they point into a goroutine's stack.
//
//go:norace
func StackRefusals() uint64 { return atomic.LoadUint64(&refusals) }

//go:norace
func hookPanicked(c *Call, p any) {
	if atomic.AddUint64(&hookPanics, 1) == 1 {
		h := &c.d.Hooks[c.hook]
		print("otelobj: hook of rule ", h.Rule, " on ", c.d.Func, " panicked: ", describe(p), " (recovered; further ones are only counted)\n")
	}
}

//go:norace
func mismatch(c *Call, method string, idx int) {
	if atomic.AddUint64(&mismatches, 1) == 1 {
		h := &c.d.Hooks[max(c.hook, 0)]
		print("otelobj: hook of rule ", h.Rule, " on ", c.d.Func, ": ", method, " cannot take effect")
		if idx >= 0 {
			print(" for index ", idx)
		}
		print(" (ignored; further ones are only counted)\n")
	}
}

// refuse counts a value that cannot be kept, and stands for it.
//
//go:norace
func refuse() any {
	if atomic.AddUint64(&refusals, 1) == 1 {
		print("otelobj: a hook's value points into a goroutine's stack and was replaced by nil (further ones are only counted)\n")
	}
	return nil
}

// describe makes a panic value printable without formatting.
//
//go:norace
func describe(p any) (text string) {
	defer func() {
		if recover() != nil {
			text = "a value whose Error method panics"
		}
	}()
	switch v := p.(type) {
	case error:
		return v.Error()
	case string:
		return v
	}
	return "a value that is neither error nor string"
}
