package sdk

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/otelobj/otelobj/hooks/rt"
)

const defaultTimeout = 5 * time.Second

// oneFlush is held by whoever is flushing.
var oneFlush = make(chan struct{}, 1)

// Flush exports what was recorded so far and returns when that is done, or after limit. A second call at the same time waits for
// the first one, no longer than its own limit. An exporter that hangs, and does not heed its context, is left behind.
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
			flushAll(ctx, pipelines)
		}()
	})
	select {
	case <-done:
	case <-ctx.Done():
		report("exit", errTimeout)
	}
}

// pipelines returns what was set up here, and what the program has set instead.
func pipelines() []flusher {
	all := slices.Clone(flushers)
	if p, ok := otel.GetTracerProvider().(flusher); ok {
		all = append(all, p)
	}
	if p, ok := otel.GetMeterProvider().(flusher); ok {
		all = append(all, p)
	}
	return all
}

func flushAll(ctx context.Context, pipelines []flusher) {
	var wg sync.WaitGroup
	for _, f := range pipelines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := f.ForceFlush(ctx); ctx.Err() == nil {
				report("flush", err)
			}
		}()
	}
	wg.Wait()
}

// timeout reads OTELOBJ_SHUTDOWN_TIMEOUT.
func timeout() time.Duration {
	text := strings.TrimSpace(os.Getenv("OTELOBJ_SHUTDOWN_TIMEOUT"))
	if ms, err := strconv.Atoi(text); err == nil && ms >= 0 {
		return time.Duration(ms) * time.Millisecond
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d
	}
	return defaultTimeout
}
