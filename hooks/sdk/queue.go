package sdk

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/otelobj/otelobj/hooks/rt/environ"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// The SDK's queue holds so many spans, however large they are, and its limits on spans leave values of any length. Here it is bounded in bytes
// as well, and values have a length, unless a variable of OpenTelemetry's says otherwise. Where strangers choose what spans hold, a
// collector that is slow must not take the program's memory.

const (
	// maxQueueBytes is how much memory spans take that wait for export, or are being exported.
	maxQueueBytes = 16 << 20
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
	once    sync.Once
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
	if q.spans.Add(1) > q.most || q.bytes.Add(n) > maxQueueBytes {
		if q.spans.Add(-1) < q.most {
			q.bytes.Add(-n)
		}
		q.drop()
		return
	}
	q.SpanProcessor.OnEnd(s)
}

// drop counts a span that was not taken in, and says so once.
func (q *queue) drop() {
	q.dropped.Add(1)
	q.once.Do(func() {
		say(levelWarn, "spans are dropped: more end than the collector takes (OTEL_BSP_MAX_QUEUE_SIZE spans, or %d MB of them, wait)", maxQueueBytes>>20)
	})
}

// ForceFlush implements trace.SpanProcessor.
func (q *queue) ForceFlush(ctx context.Context) error {
	err := q.SpanProcessor.ForceFlush(ctx)
	if n := q.dropped.Swap(0); n > 0 {
		say(levelWarn, "%d spans were dropped", n)
	}
	return err
}

// drain is an exporter after which the queue has room again.
type drain struct {
	trace.SpanExporter
	q *queue
}

// ExportSpans implements trace.SpanExporter.
func (d drain) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	defer func() {
		for _, s := range spans {
			d.q.bytes.Add(-size(s))
		}
		d.q.spans.Add(-int64(len(spans)))
	}()
	return d.SpanExporter.ExportSpans(ctx, spans)
}

// size is the memory that a span takes, in bytes, about. It is the same each time.
func size(s trace.ReadOnlySpan) int64 {
	n := spanBytes + len(s.Name()) + len(s.Status().Description) + sizeOf(s.Attributes())
	for _, e := range s.Events() {
		n += eventBytes + len(e.Name) + sizeOf(e.Attributes)
	}
	for _, l := range s.Links() {
		n += eventBytes + sizeOf(l.Attributes)
	}
	return int64(n)
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
	if !cut {
		return s
	}
	stub := tracetest.SpanStubFromReadOnlySpan(s) // the span itself would keep what was cut
	stub.Attributes, stub.Events = attrs, events
	return stub.Snapshot()
}

// compactAll returns attrs, or a copy of them with shorter values.
func compactAll(attrs []attribute.KeyValue, limit int) (compact []attribute.KeyValue, cut bool) {
	for i, kv := range attrs {
		if kv.Value.Type() != attribute.STRING {
			continue
		}
		s := kv.Value.AsString()
		if len(s) <= limit-4 || len(s) < sanitize.MaxValue { // what the SDK has cut ends no more than a character before the limit
			continue
		}
		if !cut {
			attrs, cut = append([]attribute.KeyValue(nil), attrs...), true
		}
		if len(s) > limit {
			s = strings.ToValidUTF8(s[:limit], "")
		}
		attrs[i].Value = attribute.StringValue(strings.Clone(s))
	}
	return attrs, cut
}
