package sdk

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/otelobj/otelobj/hooks/rt"
)

// HookContext is what the hooks of this package ask of theirs: nothing but to be one.
type HookContext interface {
	GetFuncName() string
}

const defaultTimeout = 5 * time.Second

// BeforeExit runs before os.Exit, which ends the program on the spot.
func BeforeExit(_ HookContext, _ int) { Flush(timeout()) }

// AfterMain runs when main.main has returned, or was unwound.
func AfterMain(_ HookContext) { Flush(timeout()) }

// oneFlush is held by whoever is flushing.
var oneFlush = make(chan struct{}, 1)

// Flush exports what was recorded so far and returns when that is done, or after limit. A second call at the same time waits for
// the first one, no longer than its own limit. An exporter that hangs, and does not heed its context, is left behind.
func Flush(limit time.Duration) {
	if len(flushers) == 0 || limit <= 0 {
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
			flushAll(ctx)
		}()
	})
	select {
	case <-done:
	case <-ctx.Done():
		report("exit", errTimeout)
	}
}

func flushAll(ctx context.Context) {
	var wg sync.WaitGroup
	for _, f := range flushers {
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
