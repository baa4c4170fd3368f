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

// formOf returns how a handler writes values. What is inside of a handler of the program's own is not known.
func formOf(h slog.Handler) logs.Form {
	if _, is := h.(*slog.JSONHandler); is {
		return logs.JSON
	} else if isStandard(h) {
		return logs.Text
	}
	return logs.Unknown
}

func shown(v slog.Value, form logs.Form) slog.Value {
	switch v.Kind() {
	case slog.KindAny:
		return slog.AnyValue(logs.Value(v.Any(), form))
	case slog.KindLogValuer:
		return slog.AnyValue(resolved{shown(v.Resolve(), form)})
	case slog.KindGroup:
		return slog.GroupValue(shownAttrs(v.Group(), form)...)
	}
	return v
}

func isShown(v slog.Value) bool {
	k := v.Kind()
	return k != slog.KindAny && k != slog.KindLogValuer && k != slog.KindGroup
}

func shownAttrs(attrs []slog.Attr, form logs.Form) []slog.Attr {
	attrs = slices.Clone(attrs)
	for i := range attrs {
		attrs[i].Value = shown(attrs[i].Value, form)
	}
	return attrs
}

func shownRecord(r slog.Record, form logs.Form) slog.Record {
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
		attrs = append(attrs, slog.Attr{Key: a.Key, Value: shown(a.Value, form)})
		return true
	})
	made := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	made.AddAttrs(attrs...)
	return made
}
