//go:build !otelobj_program

package logs

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
	"github.com/otelobj/otelobj/hooks/sdk"
)

// The SDK's queue holds so many records, however large they are, and forgets the oldest when it is full. Here it is bounded in bytes as well, and what
// does not fit is not taken in, as with spans.

const (
	// maxQueueBytes is how much memory records take that wait for export, or are being exported.
	maxQueueBytes = 4 << 20
	// defaultQueueSize is the SDK's default for OTEL_BLRP_MAX_QUEUE_SIZE.
	defaultQueueSize = 2048
)

// queue is the SDK's batch processor, and knows how much it holds. It also gives records the span of their goroutine where their context has none.
//
// The batch processor takes a megabyte and a goroutine, so it is made for the first record: most programs link a logger, and many never use it.
type queue struct {
	batch   func() log.Processor
	started atomic.Bool
	signal  sdk.Signal
	limit   int // of the length of values, negative: none
	most    int64
	records atomic.Int64
	bytes   atomic.Int64
	dropped atomic.Int64
	told    atomic.Bool
}

func newQueue(exporter log.Exporter, s sdk.Signal, limit int) *queue {
	q := &queue{signal: s, limit: limit, most: defaultQueueSize}
	if n, ok := number(environ.Get("OTEL_BLRP_MAX_QUEUE_SIZE")); ok && n > 0 {
		q.most = int64(n) // as the batch processor reads it
	}
	q.batch = sync.OnceValue(func() (p log.Processor) {
		rt.Suppress(func() { p = log.NewBatchProcessor(drain{exporter, q}) })
		q.started.Store(true)
		return p
	})
	return q
}

// Enabled implements log.Processor.
func (q *queue) Enabled(context.Context, log.EnabledParameters) bool { return true }

// OnEmit implements log.Processor.
func (q *queue) OnEmit(ctx context.Context, r *log.Record) error {
	if !r.SpanID().IsValid() && ctx != nil {
		if with, added := active.Joined(ctx); added {
			sc := trace.SpanContextFromContext(with)
			r.SetTraceID(sc.TraceID())
			r.SetSpanID(sc.SpanID())
			r.SetTraceFlags(sc.TraceFlags())
		}
	}
	compact(r, q.limit)
	n := size(r)
	if q.records.Add(1) > q.most {
		q.records.Add(-1)
		q.drop()
		return nil
	}
	if q.bytes.Add(n) > maxQueueBytes {
		q.bytes.Add(-n)
		q.records.Add(-1)
		q.drop()
		return nil
	}
	return q.batch().OnEmit(ctx, r)
}

// drop counts a record that was not taken in, and says so once.
func (q *queue) drop() {
	q.dropped.Add(1)
	if q.told.CompareAndSwap(false, true) {
		q.signal.Tell("log records are dropped: more are made than the collector takes (OTEL_BLRP_MAX_QUEUE_SIZE records, or %d MB of them, wait)", maxQueueBytes>>20)
	}
}

// ForceFlush implements log.Processor. Records that a flush has begun to export are exported, or are given up by the exporter's own limits: the batch
// processor would forget those of which it has not told the exporter when ctx ends.
func (q *queue) ForceFlush(ctx context.Context) error {
	if n := q.dropped.Swap(0); n > 0 {
		q.signal.Tell("%d log records were dropped", n)
	}
	if !q.started.Load() {
		return nil
	}
	done := make(chan error, 1)
	rt.Suppress(func() { go func() { done <- q.batch().ForceFlush(context.WithoutCancel(ctx)) }() })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown implements log.Processor.
func (q *queue) Shutdown(ctx context.Context) error {
	if !q.started.Load() {
		return nil
	}
	return q.batch().Shutdown(ctx)
}

// drain is an exporter after which the queue has room again.
type drain struct {
	log.Exporter
	q *queue
}

// Export implements log.Exporter. Records that are large together are exported in parts, as spans are.
func (d drain) Export(ctx context.Context, records []log.Record) error {
	bytes, failed := sdk.InParts(records, size, func(part []log.Record) error { return d.Exporter.Export(ctx, part) })
	d.q.bytes.Add(-bytes) // the batch processor has held all of them until now
	d.q.records.Add(-int64(len(records)))
	return failed
}

// number reads a variable that holds one.
func number(text string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil
}
