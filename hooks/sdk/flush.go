package sdk

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

const defaultTimeout = 5 * time.Second

// oneFlush is held by whoever is flushing.
var oneFlush = make(chan struct{}, 1)

// Flush ends what is open, exports what was recorded and returns when that is done, or after limit. A second call at the same time
// waits for the first one, no longer than its own limit. An exporter that hangs, and does not heed its context, is left behind.
func Flush(limit time.Duration) {
	pipelines := pipelines()
	if len(pipelines) == 0 || limit <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	select {
	case oneFlush <- struct{}{}:
	case <-ctx.Done():
		return
	}
	done := make(chan struct{})
	rt.Suppress(func() {
		go func() {
			defer func() { close(done); <-oneFlush }()
			endSpans(limit / 2)
			flushAll(ctx, pipelines)
		}()
	})
	select {
	case <-done:
	case <-ctx.Done():
		report("exit", errTimeout)
	}
}

// endSpans ends the spans that are open. That runs the program's own span processors: one that hangs must not keep the others' spans.
func endSpans(limit time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		openSpans.end()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		report("exit", errTimeout)
	}
}

func flushAll(ctx context.Context, pipelines []flusher) {
	var wg sync.WaitGroup
	for _, f := range pipelines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			err := f.ForceFlush(ctx)
			if ctx.Err() == nil && !errors.Is(err, metric.ErrReaderShutdown) { // the program has shut it down, and flushed it so
				report("flush", err)
			}
		}()
	}
	wg.Wait()
}

// timeout reads OTELOBJ_SHUTDOWN_TIMEOUT.
func timeout() time.Duration {
	text := strings.TrimSpace(environ.Get("OTELOBJ_SHUTDOWN_TIMEOUT"))
	if ms, err := strconv.Atoi(text); err == nil && ms >= 0 {
		return time.Duration(ms) * time.Millisecond
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d
	}
	return defaultTimeout
}
