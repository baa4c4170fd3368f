package slog

import (
	"log/slog"
	"slices"

	"github.com/otelobj/otelobj/hooks/logs"
)

// What the bridge gets instead of the program's attributes: the same ones, where values are what logs.Value makes of them.

// resolved is the value of a slog.LogValuer, which the bridge treats in another way than one that was never any.
type resolved struct{ v slog.Value }

func (r resolved) LogValue() slog.Value { return r.v }

func shown(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindAny:
		return slog.AnyValue(logs.Value(v.Any()))
	case slog.KindLogValuer:
		return slog.AnyValue(resolved{shown(v.Resolve())})
	case slog.KindGroup:
		return slog.GroupValue(shownAttrs(v.Group())...)
	}
	return v
}

func isShown(v slog.Value) bool {
	k := v.Kind()
	return k != slog.KindAny && k != slog.KindLogValuer && k != slog.KindGroup
}

func shownAttrs(attrs []slog.Attr) []slog.Attr {
	attrs = slices.Clone(attrs)
	for i := range attrs {
		attrs[i].Value = shown(attrs[i].Value)
	}
	return attrs
}

func shownRecord(r slog.Record) slog.Record {
	same := true
	r.Attrs(func(a slog.Attr) bool {
		same = isShown(a.Value)
		return same
	})
	if same {
		return r
	}
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, slog.Attr{Key: a.Key, Value: shown(a.Value)})
		return true
	})
	made := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	made.AddAttrs(attrs...)
	return made
}
