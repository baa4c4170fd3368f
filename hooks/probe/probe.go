package probe

import (
	"strings"
	"sync/atomic"

	"github.com/otelobj/otelobj/hooks/rt"
)

// table is static data that the link step writes for one object. It finds the fields by name in the type's descriptor.
type table struct {
	Names  string   // of the functions that are counted, each followed by a newline; no linker symbol contains one
	Counts []uint64 // in the same order

	Timed      string // of the functions that have a histogram
	Histograms []histogram
}

// tables are those of all objects of the program, filled in by the link step. The first one belongs to no object. An element that equals it
// stands for an object of which the linker has dropped all functions, and therefore the table.
var tables []*table

// The link step needs the type's descriptor in the archive.
var keepTypes = [...]any{(*table)(nil), (*histogram)(nil)}

func init() {
	if rt.Linked() {
		rt.OnFatalPanic(Write)
		rt.OnExit(writeOnce)
		watchSignals()
	}
}

// HookContext is what the hooks of this package need of a hook context, which is nothing.
type HookContext interface {
	GetFuncName() string
}

// wrote is the goroutine that called os.Exit last.
var wrote atomic.Uint64

// BeforeExit runs before os.Exit, which ends the program on the spot.
func BeforeExit(_ HookContext, _ int) {
	Write()
	wrote.Store(rt.GoroutineID())
}

// writeOnce is for syscall.Exit, in which os.Exit ends, and for signals.
func writeOnce() {
	if wrote.Load() != rt.GoroutineID() {
		Write()
	}
}

// AfterMain runs when main.main has returned, or was unwound.
func AfterMain(_ HookContext) { Write() }

// Counts returns how often each function that has a counter was called so far; functions that never were are left out.
func Counts() map[string]uint64 {
	_ = keepTypes
	found := map[string]uint64{}
	for _, t := range present() {
		each(t.Names, func(i int, name string) {
			if n := atomic.LoadUint64(&t.Counts[i]); n != 0 {
				found[name] += n // several packages have copies of the same instance of a generic function
			}
		})
	}
	return found
}

// present returns the tables that are in the program.
func present() []*table {
	var found []*table
	for i, t := range tables {
		if i > 0 && t != tables[0] {
			found = append(found, t)
		}
	}
	return found
}

// each calls f for every line.
func each(lines string, f func(i int, line string)) {
	for i := 0; lines != ""; i++ {
		line, more, _ := strings.Cut(lines, "\n")
		lines = more
		f(i, line)
	}
}
