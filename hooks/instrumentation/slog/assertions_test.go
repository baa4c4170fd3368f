package slog

import (
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// considered are the interfaces that log/slog asks for by type assertion, and why our wrappers offer them, or need not. What we wrap: handlers.
var considered = map[string]string{
	"LogValuer": "of a value",
	"error":     "of a value",
}

// TestInterfacesThatAreAskedFor fails where a release asks for one that nobody has thought of.
func TestInterfacesThatAreAskedFor(t *testing.T) {
	asked, err := hooktest.Asked([]string{hooktest.SourceOf(slog.New)}, considered)
	if err != nil {
		t.Skipf("no sources: %v", err)
	}
	if asked["LogValuer"] == "" {
		t.Errorf("not found what is known to be there: %v", asked)
	}
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if considered[name] == "" {
			t.Errorf("%s asks for %s: what do our wrappers do?", asked[name], name)
		}
	}
}
