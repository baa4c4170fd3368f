package zap

import (
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
	hooktest.Consider(t, []string{hooktest.SourceOf(zap.New), hooktest.SourceOf(zapcore.NewCore)}, considered, "leveledEnabler")
}
