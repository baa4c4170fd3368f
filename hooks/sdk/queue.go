//go:build !otelobj_program

package sdk

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	api "go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/rt/environ"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// The SDK's queue holds so many spans, however large they are, and its limits on spans leave values of any length. Here it is bounded in bytes
// as well, and values have a length, unless a variable of OpenTelemetry's says otherwise. Where strangers choose what spans hold, a
// collector that is slow must not take the program's memory.

const (
	// maxQueueBytes is how much memory spans take that wait for export, or are being exported.
	maxQueueBytes = 8 << 20
	// maxPartBytes is how much memory spans, or log records, take that are exported together, if they are several.
	maxPartBytes = 1 << 20
	// maxValueLength is the length of a value of an attribute, in bytes: that of a stack trace.
	maxValueLength = sanitize.MaxStack

	spanBytes      = 600 // of a span without anything in it, about
	eventBytes     = 100
	attributeBytes = 64
)

// spanLimits returns the SDK's limits, with a default for the length of values.
func spanLimits() trace.SpanLimits {
	limits := trace.NewSpanLimits()
	if environ.Get("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT") == "" && environ.Get("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT") == "" {
		limits.AttributeValueLengthLimit = maxValueLength
	}
	return limits
}

// queue is the SDK's batch processor, and knows how much it holds. Spans and bytes are taken in when a span ends, and given back when its
// export has ended, so what the queue takes in the batch processor never drops.
type queue struct {
	trace.SpanProcessor
	limit   int // of the length of values, negative: none
	most    int64
	spans   atomic.Int64
	bytes   atomic.Int64
	dropped atomic.Int64
	told    atomic.Bool
}

func newQueue(exporter trace.SpanExporter, limit int) *queue {
	q := &queue{limit: limit, most: maxQueueSize()}
	q.SpanProcessor = trace.NewBatchSpanProcessor(drain{exporter, q})
	return q
}

// maxQueueSize is what the batch processor reads, too.
func maxQueueSize() int64 {
	if n, err := strconv.Atoi(strings.TrimSpace(environ.Get("OTEL_BSP_MAX_QUEUE_SIZE"))); err == nil && n > 0 {
		return int64(n)
	}
	return trace.DefaultMaxQueueSize
}

// OnEnd implements trace.SpanProcessor.
func (q *queue) OnEnd(s trace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	s = compact(s, q.limit)
	n := size(s)
	if q.spans.Add(1) > q.most {
		q.spans.Add(-1)
		q.drop()
		return
	}
	if q.bytes.Add(n) > maxQueueBytes {
		q.bytes.Add(-n)
		q.spans.Add(-1)
		q.drop()
		return
	}
	q.SpanProcessor.OnEnd(s)
}

// drop counts a span that was not taken in, and says so once.
func (q *queue) drop() {
	q.dropped.Add(1)
	if q.told.CompareAndSwap(false, true) {
		tell("spans are dropped: more end than the collector takes (OTEL_BSP_MAX_QUEUE_SIZE spans, or %d MB of them, wait)", maxQueueBytes>>20)
	}
}

// tell says something to those who have asked for telemetry, or get it.
func tell(format string, args ...any) {
	if exports.isHeard() {
		say(levelWarn, format, args...)
	}
}

// ForceFlush implements trace.SpanProcessor.
func (q *queue) ForceFlush(ctx context.Context) error {
	err := q.SpanProcessor.ForceFlush(ctx)
	if n := q.dropped.Swap(0); n > 0 {
		tell("%d spans were dropped", n)
	}
	return err
}

// drain is an exporter after which the queue has room again.
type drain struct {
	trace.SpanExporter
	q *queue
}

// ExportSpans implements trace.SpanExporter. Spans that are large together are exported in parts: each becomes one message, which is in memory as a
// whole, and which collectors refuse from a size on.
func (d drain) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	bytes, failed := InParts(spans, func(s *trace.ReadOnlySpan) int64 { return size(*s) }, func(part []trace.ReadOnlySpan) error {
		return d.SpanExporter.ExportSpans(ctx, part)
	})
	d.q.bytes.Add(-bytes) // the batch processor has held all of them until now
	d.q.spans.Add(-int64(len(spans)))
	return failed
}

// InParts exports items in parts that are not larger than maxPartBytes, unless they are one item. It returns the size of all, and the first failure.
func InParts[T any](items []T, size func(*T) int64, export func(part []T) error) (bytes int64, failed error) {
	for len(items) > 0 {
		n, part := 1, size(&items[0])
		for ; n < len(items); n++ {
			more := size(&items[n])
			if part+more > maxPartBytes {
				break
			}
			part += more
		}
		bytes += part
		if err := export(items[:n]); failed == nil {
			failed = err
		}
		items = items[n:]
	}
	return bytes, failed
}

// size is the memory that a span takes, in bytes, about. It is the same each time.
func size(s trace.ReadOnlySpan) int64 {
	n := spanBytes + len(s.Name()) + len(s.Status().Description) + sizeOf(s.Attributes())
	for _, e := range s.Events() {
		n += eventBytes + len(e.Name) + sizeOf(e.Attributes)
	}
	n += sizeOfState(s.SpanContext().TraceState())
	for _, l := range s.Links() {
		n += eventBytes + sizeOf(l.Attributes) + sizeOfState(l.SpanContext.TraceState())
	}
	return int64(n)
}

// sizeOfState is that of a trace state, which comes from the caller.
func sizeOfState(state api.TraceState) int {
	if state.Len() == 0 {
		return 0
	}
	return state.Len()*attributeBytes + len(state.String())
}

func sizeOf(attrs []attribute.KeyValue) int {
	n := 0
	for _, kv := range attrs {
		n += attributeBytes + len(kv.Key)
		switch kv.Value.Type() {
		case attribute.STRING:
			n += len(kv.Value.AsString())
		case attribute.STRINGSLICE:
			for _, s := range kv.Value.AsStringSlice() {
				n += 16 + len(s)
			}
		case attribute.BOOL, attribute.INT64, attribute.FLOAT64:
		default:
			n += len(kv.Value.Emit())
		}
	}
	return n
}

// compact returns a span that holds no long values: the SDK cuts those of a span's attributes, but keeps the whole string behind them, and
// leaves events as they are.
func compact(s trace.ReadOnlySpan, limit int) trace.ReadOnlySpan {
	if limit < 0 {
		return s
	}
	attrs, cut := compactAll(s.Attributes(), limit)
	events := s.Events()
	for i, e := range events {
		inside, cutToo := compactAll(e.Attributes, limit)
		if !cutToo {
			continue
		}
		if e.Attributes = inside; &events[0] == &s.Events()[0] {
			events = append([]trace.Event(nil), events...)
		}
		events[i], cut = e, true
	}
	name, description := s.Name(), s.Status().Description
	if cut = cut || isLong(name, limit) || isLong(description, limit); !cut {
		return s
	}
	stub := tracetest.SpanStubFromReadOnlySpan(s) // the span itself would keep what was cut
	stub.Attributes, stub.Events = attrs, events
	stub.Name, stub.Status.Description = shortened(name, limit), shortened(description, limit)
	return stub.Snapshot()
}

// compactAll returns attrs, or a copy of them with shorter values.
func compactAll(attrs []attribute.KeyValue, limit int) (compact []attribute.KeyValue, cut bool) {
	for i, kv := range attrs {
		var short attribute.Value
		switch kv.Value.Type() {
		case attribute.STRING:
			s := kv.Value.AsString()
			if !isLong(s, limit) {
				continue
			}
			short = attribute.StringValue(shortened(s, limit))
		case attribute.STRINGSLICE:
			list := kv.Value.AsStringSlice()
			if !slices.ContainsFunc(list, func(s string) bool { return isLong(s, limit) }) {
				continue
			}
			for j, s := range list {
				list[j] = shortened(s, limit)
			}
			short = attribute.StringSliceValue(list)
		default:
			continue
		}
		if !cut {
			attrs, cut = slices.Clone(attrs), true
		}
		attrs[i].Value = short
	}
	return attrs, cut
}

// isLong reports whether a text is longer than the limit, or may be what the SDK has cut: that ends no more than a character before.
func isLong(s string, limit int) bool {
	return len(s) > limit-utf8.UTFMax && len(s) >= sanitize.MaxValue
}

// shortened is a copy of a text's beginning.
func shortened(s string, limit int) string {
	if len(s) > limit && len(s) >= sanitize.MaxValue {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return strings.Clone(s)
}
