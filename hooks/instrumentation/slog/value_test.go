package slog

import (
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
