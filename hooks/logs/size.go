//go:build !otelobj_program

package logs

import (
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/log"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

const (
	recordBytes    = 700 // of a record without anything in it, about
	attributeBytes = 64
)

// size is the memory that a record takes, in bytes, about. It is the same each time.
func size(r *log.Record) int64 {
	n := recordBytes + len(r.SeverityText()) + len(r.EventName()) + sizeOf(r.Body())
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		n += sizeOfPair(kv)
		return true
	})
	return int64(n)
}

func sizeOfPair(kv attribute.KeyValue) int { return attributeBytes + len(kv.Key) + sizeOf(kv.Value) }

func sizeOf(v attribute.Value) int {
	n := 0
	switch v.Type() {
	case attribute.STRING:
		n = len(v.AsString())
	case attribute.BYTESLICE:
		n = len(v.AsByteSlice())
	case attribute.STRINGSLICE:
		for _, s := range v.AsStringSlice() {
			n += 16 + len(s)
		}
	case attribute.BOOLSLICE:
		n = len(v.AsBoolSlice())
	case attribute.INT64SLICE:
		n = 8 * len(v.AsInt64Slice())
	case attribute.FLOAT64SLICE:
		n = 8 * len(v.AsFloat64Slice())
	case attribute.SLICE:
		for _, item := range v.AsSlice() {
			n += attributeBytes + sizeOf(item)
		}
	case attribute.MAP:
		for _, kv := range v.AsMap() {
			n += sizeOfPair(kv)
		}
	case attribute.EMPTY, attribute.BOOL, attribute.INT64, attribute.FLOAT64:
	}
	return n
}

// compact sees that a record holds no memory but its own, and no long values. A short text may be a part of a long one, such as of a request's first line,
// and would keep all of it. The SDK cuts values of attributes, but keeps the whole string behind them, and leaves the body as it is.
func compact(r *log.Record, limit int) {
	n := room(r.Body(), limit)
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		n += len(kv.Key) + room(kv.Value, limit)
		return true
	})
	if n == 0 {
		return
	}
	c := copier{limit: limit}
	c.texts.Grow(n)
	r.SetBody(c.value(r.Body()))
	pairs := pairsPool.Get().(*[]attribute.KeyValue)
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		*pairs = append(*pairs, c.pair(kv))
		return true
	})
	r.SetAttributes(*pairs...) // which are copied
	clear(*pairs)
	*pairs = (*pairs)[:0]
	pairsPool.Put(pairs)
}

var pairsPool = sync.Pool{New: func() any { return new([]attribute.KeyValue) }}

// room is the length of all texts in a value, when those that are long have been cut.
func room(v attribute.Value, limit int) int {
	n := 0
	switch v.Type() {
	case attribute.STRING:
		n = len(kept(v.AsString(), limit))
	case attribute.STRINGSLICE:
		for _, s := range v.AsStringSlice() {
			n += len(kept(s, limit))
		}
	case attribute.SLICE:
		for _, item := range v.AsSlice() {
			n += room(item, limit)
		}
	case attribute.MAP:
		for _, kv := range v.AsMap() {
			n += len(kv.Key) + room(kv.Value, limit)
		}
	case attribute.BYTESLICE:
		n = len(v.AsByteSlice())
	case attribute.EMPTY, attribute.BOOL, attribute.INT64, attribute.FLOAT64, attribute.BOOLSLICE, attribute.INT64SLICE, attribute.FLOAT64SLICE:
	}
	return n
}

// copier copies all texts of a record into one piece of memory.
type copier struct {
	limit int
	texts strings.Builder
}

func (c *copier) text(s string) string {
	from := c.texts.Len()
	c.texts.WriteString(s)
	return c.texts.String()[from:]
}

func (c *copier) pair(kv attribute.KeyValue) attribute.KeyValue {
	return attribute.KeyValue{Key: attribute.Key(c.text(string(kv.Key))), Value: c.value(kv.Value)}
}

func (c *copier) value(v attribute.Value) attribute.Value {
	switch v.Type() {
	case attribute.STRING:
		return attribute.StringValue(c.text(kept(v.AsString(), c.limit)))
	case attribute.BYTESLICE:
		if b := v.AsByteSlice(); c.limit >= 0 && len(b) > c.limit {
			return attribute.ByteSliceValue(b[:c.limit])
		}
	case attribute.STRINGSLICE:
		list := v.AsStringSlice()
		for i, s := range list {
			list[i] = c.text(kept(s, c.limit))
		}
		return attribute.StringSliceValue(list)
	case attribute.SLICE:
		list := v.AsSlice()
		for i, item := range list {
			list[i] = c.value(item)
		}
		return attribute.SliceValue(list...)
	case attribute.MAP:
		pairs := v.AsMap()
		for i, kv := range pairs {
			pairs[i] = c.pair(kv)
		}
		return attribute.MapValue(pairs...)
	case attribute.EMPTY, attribute.BOOL, attribute.INT64, attribute.FLOAT64, attribute.BOOLSLICE, attribute.INT64SLICE, attribute.FLOAT64SLICE:
	}
	return v
}

// kept is what is kept of a text: a URL without its secrets, and no more than the limit.
func kept(s string, limit int) string { return beginning(sanitize.Value(s), limit) }

// beginning is a text, or the beginning of one that is longer than the limit. A negative limit is none.
func beginning(s string, limit int) string {
	if limit >= 0 && len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "")
	}
	return s
}
