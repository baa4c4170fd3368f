package zap

import (
	"maps"
	"slices"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// considered are the interfaces that zap asks for by type assertion, and why our wrappers offer them, or need not. What we wrap: cores.
var considered = map[string]string{
	"ArrayMarshaler":          "of a field's value: what the program gives stays there for its own core",
	"ObjectMarshaler":         "of a field's value",
	"zapcore.ArrayMarshaler":  "of a field's value",
	"zapcore.ObjectMarshaler": "of a field's value",
	"error":                   "of a field's value",
	"errorGroup":              "of an error",
	"WriteSyncer":             "of a writer",
	"appendTimeEncoder":       "of an encoder: those of the program's core are not wrapped",
	"leveledEnabler":          "of a core: offered always, with what zapcore.LevelOf says of the program's",
}

// TestInterfacesThatAreAskedFor fails where a release asks for one that nobody has thought of.
func TestInterfacesThatAreAskedFor(t *testing.T) {
	asked, err := hooktest.Asked([]string{hooktest.SourceOf(zap.New), hooktest.SourceOf(zapcore.NewCore)}, considered)
	if err != nil {
		t.Skipf("no sources: %v", err)
	}
	if asked["leveledEnabler"] == "" {
		t.Errorf("not found what is known to be there: %v", asked)
	}
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if considered[name] == "" {
			t.Errorf("%s asks for %s: what do our wrappers do?", asked[name], name)
		}
	}
}
