package sdk

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

const defaultTimeout = 5 * time.Second

// oneFlush is held during a flush.
var oneFlush = make(chan struct{}, 1)

// Flush ends what is open, exports what was recorded and returns when that is done, or after limit. A second call at the same time
// waits for the first one, no longer than its own limit. An exporter that hangs, and does not heed its context, is left behind.
func Flush(limit time.Duration) { flush(limit, openSpans.end) }

// flush does that. open: what is done about open spans first, nil for nothing.
func flush(limit time.Duration, open func()) {
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
			if open != nil {
				within(limit/2, open)
			}
			flushAll(ctx, pipelines, report)
		}()
	})
	select {
	case <-done:
	case <-ctx.Done():
		report("exit", errTimeout)
	}
}

// within calls a function that ends spans. That runs the program's own span processors: one that hangs must not keep the others' spans.
func within(limit time.Duration, end func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		end()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		report("exit", errTimeout)
	}
}

// pause is how long it takes at least from one export in the background to the next.
const pause = time.Second

// background is the export in the background: when the last one began, and whether it has not ended yet.
var background struct {
	sync.Mutex
	began time.Time
	busy  bool
}

// exportSoon begins to export what is finished, in the background, if it has not done so a moment ago. Open spans stay open. What goes wrong is not
// reported: it will be when it goes wrong again at the end.
func exportSoon() {
	pipelines, limit := pipelines(), timeout()
	if len(pipelines) == 0 || limit <= 0 {
		return
	}
	background.Lock()
	defer background.Unlock()
	if background.busy || time.Since(background.began) < pause {
		return
	}
	background.busy, background.began = true, time.Now()
	rt.Suppress(func() { go exportNow(pipelines, limit) })
}

func exportNow(pipelines []flusher, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	flushAll(ctx, pipelines, func(string, error) {})
	background.Lock()
	defer background.Unlock()
	background.busy = false
}

func flushAll(ctx context.Context, pipelines []flusher, report func(what string, err error)) {
	var wg sync.WaitGroup
	for _, f := range pipelines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			err := f.ForceFlush(ctx)
			if ctx.Err() == nil && !isShutdown(err) { // the program has shut it down, and flushed it so
				report("flush", err)
			}
		}()
	}
	wg.Wait()
}

// errShutdown is what ErrReaderShutdown of any copy of sdk/metric says.
const errShutdown = "reader is shutdown"

func isShutdown(err error) bool {
	return err != nil && strings.Contains(err.Error(), errShutdown)
}

// timeout reads OTELOBJ_SHUTDOWN_TIMEOUT.
func timeout() time.Duration {
	if d, ok := environ.Timeout(); ok {
		return d
	}
	return defaultTimeout
}
