package sdk

import (
	"slices"
	"strings"

	"github.com/otelobj/otelobj/hooks/rt"
)

// description says in one line what was set up: which instrumentations are in the program, and where what they make goes.
func description(made []flusher) string {
	on, off := instrumentations()
	parts := []string{"instrumentations: " + listed(on)}
	if len(off) > 0 {
		parts = append(parts, "switched off: "+listed(off))
	}
	return strings.Join(append(parts, destinations(made)...), "; ")
}

// instrumentations returns the names of those that are linked in: with any hook on, and with none.
func instrumentations() (on, off []string) {
	state := map[string]bool{}
	rt.Instrumentations(func(name string, on bool) { state[name] = state[name] || on })
	for name, isOn := range state {
		if isOn {
			on = append(on, name)
		} else {
			off = append(off, name)
		}
	}
	slices.Sort(on)
	slices.Sort(off)
	return on, off
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
