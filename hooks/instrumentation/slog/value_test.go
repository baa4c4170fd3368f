package slog

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
)

type hidden struct {
	Name   string
	Secret string `json:"-"`
}

type reveals struct{ h hidden }

func (r reveals) LogValue() slog.Value { return slog.AnyValue(r.h) }

// What a struct keeps out of JSON is not exported.
func TestSecrets(t *testing.T) {
	ours := sent()
	h := hidden{"n", "secret"}
	args := []any{"v", h, "p", &h, "list", []hidden{h}, "m", map[string]any{"h": &h}, slog.Group("g", "v", h), "valuer", reveals{h}}
	l := hooked{slog.New(slog.NewJSONHandler(io.Discard, nil))}
	l.Log(slog.LevelInfo, "at once", args...)
	l.With(args...).WithGroup("in").Log(slog.LevelInfo, "before", "v", h)
	for _, r := range ours.records {
		if strings.Contains(r, "secret") || strings.Count(r, `\"Name\":\"n\"`)+strings.Count(r, `{"Name":"n"}`) < 6 {
			t.Error(r)
		}
	}
	if len(ours.records) != 2 {
		t.Error(len(ours.records))
	}
}

// own is a handler of the program's.
type own struct{}

func (own) Enabled(context.Context, slog.Level) bool  { return true }
func (own) Handle(context.Context, slog.Record) error { return nil }
func (h own) WithAttrs([]slog.Attr) slog.Handler      { return h }
func (h own) WithGroup(string) slog.Handler           { return h }

type counting struct{ n *int }

func (c counting) LogValue() slog.Value { *c.n++; return slog.IntValue(*c.n) }

// Values of With are asked once for the export, and not at all where nobody will ever write.
func TestValuesThatNobodyAsks(t *testing.T) {
	ours := sent()
	for _, c := range []struct {
		handler slog.Handler
		want    int
	}{{slog.DiscardHandler, 0}, {own{}, 1}, {slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}), 2}} {
		n := 0
		l := hooked{slog.New(c.handler)}.With("n", counting{&n}).WithGroup("g").With("m", 1)
		for range 2 {
			l.Log(slog.LevelInfo, "x")
		}
		if n != c.want {
			t.Errorf("%T: asked %d times, not %d", c.handler, n, c.want)
		}
	}
	if len(ours.records) != 2 || !strings.Contains(ours.records[1], "n=INT64:1") || !strings.Contains(ours.records[1], `"m":1`) {
		t.Errorf("%q", ours.records)
	}
}

func TestKeysOfWith(t *testing.T) {
	for text, want := range map[string]bool{
		`,"trace_id":"x"`: true, `,"g":{"trace_id":"x"`: true, "trace_id=x": true, "a=1 trace_id=x": true, "g.trace_id=x": true,
		`,"parent_trace_id":"x"`: false, `,"note":"no trace_id here"`: false, "parent_trace_id=x": false, `note="no trace_id here"`: false, "": false,
	} {
		if hasKey([]byte(text), "trace_id") != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
