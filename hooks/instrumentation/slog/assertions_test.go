package slog

import (
	"log/slog"
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
	hooktest.Consider(t, []string{hooktest.SourceOf(slog.New)}, considered, "LogValuer")
}
