package probe

import (
	"strings"
	"sync/atomic"
)

// table is what the link step lays down for one object: static data. Fields are found by name in the type's descriptor.
type table struct {
	Names  string   // of the functions counted, each ended by a newline; a linker symbol has none in it
	Counts []uint64 // in the same order
}

// tables are those of all objects of the program, nil where the linker dropped every function of one. Filled in by the link step.
var tables []*table

// The link step needs the type's descriptor in the archive.
var keepTypes = [...]any{(*table)(nil)}

// HookContext is what the hooks of this package ask of theirs: nothing but to be one.
type HookContext interface {
	GetFuncName() string
}

// BeforeExit runs before os.Exit, which ends the program on the spot.
func BeforeExit(_ HookContext, _ int) { Write() }

// AfterMain runs when main.main has returned, or was unwound.
func AfterMain(_ HookContext) { Write() }

// Counts returns how often each function that has a counter was called so far; functions that never were are left out.
func Counts() map[string]uint64 {
	_ = keepTypes
	found := map[string]uint64{}
	for _, t := range tables {
		if t == nil {
			continue
		}
		rest := t.Names
		for i := range t.Counts {
			name, more, _ := strings.Cut(rest, "\n")
			rest = more
			if n := atomic.LoadUint64(&t.Counts[i]); n != 0 {
				found[name] += n // copies of one instance of a generic function, in several packages
			}
		}
	}
	return found
}
