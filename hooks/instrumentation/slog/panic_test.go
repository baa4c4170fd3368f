package slog

import (
	"bytes"
	"log/slog"
	"runtime/debug"
	"strings"
	"testing"
)

type failure struct{ text string }

func (f *failure) Error() string { return f.text }

// bad panics whatever it is asked.
type bad struct{}

func (bad) Error() string { panic("Error") }

type badString struct{}

func (badString) String() string { panic("String") }

type badValue struct{}

func (badValue) LogValue() slog.Value { panic("LogValue") }

// The program's line is written whatever its values do, and a record is sent.
func TestPanics(t *testing.T) {
	for _, value := range []any{(*failure)(nil), bad{}, badString{}, badValue{}, []any{bad{}}, slog.GroupValue(slog.Any("in", bad{}))} {
		for _, program := range []bool{false, true} {
			bridges.Store(program)
			ours := sent()
			var out bytes.Buffer
			l := hooked{slog.New(slog.NewJSONHandler(&out, nil))}
			l.Log(slog.LevelError, "failed", "v", value)
			l.With("v", value).Log(slog.LevelError, "failed")
			if n := strings.Count(out.String(), "failed"); n != 2 {
				t.Errorf("%T: %s", value, out.String())
			}
			if n := len(ours.records); n != 2 {
				t.Errorf("%T: %q", value, ours.records)
			}
		}
	}
	bridges.Store(false)
}

// asks is a value that notes whether hooks may run while it is asked: rt.Suppressed knows it only in a linked program.
type asks struct{ hooked *bool }

func (a asks) LogValue() slog.Value {
	*a.hooked = *a.hooked || !strings.Contains(string(debug.Stack()), "/rt.Suppress(")
	return slog.StringValue("asked")
}

// No hook runs while With takes its values for the export.
func TestWithIsSuppressed(t *testing.T) {
	sent()
	hooked := false
	step{from: slog.New(slog.DiscardHandler), attrs: []slog.Attr{slog.Any("v", asks{&hooked})}}.handler()
	if hooked {
		t.Error("hooks run")
	}
}
