package sdk

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
)

// hanging is a pipeline that never ends its flush, whatever its context says.
type hanging struct{ calls atomic.Int32 }

func (h *hanging) ForceFlush(context.Context) error {
	h.calls.Add(1)
	select {}
}

type quick struct{ calls atomic.Int32 }

func (q *quick) ForceFlush(context.Context) error {
	q.calls.Add(1)
	return nil
}

func setFlushers(t *testing.T, f ...flusher) {
	t.Helper()
	old := flushers
	flushers = f
	t.Cleanup(func() {
		flushers = old
		select {
		case <-oneFlush:
		default:
		}
	})
}

func TestFlushIsBounded(t *testing.T) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	h := &hanging{}
	setFlushers(t, h)
	Flush(20 * time.Millisecond) // one that waited for the pipeline would never return
	Flush(20 * time.Millisecond) // the first one still hangs
	if n := h.calls.Load(); n != 1 {
		t.Errorf("%d flushes at a time", n)
	}
}

func TestExitHooksFlush(t *testing.T) {
	q := &quick{}
	setFlushers(t, q)
	BeforeExit(nil, 1)
	AfterMain(returned{})
	AfterMain(goexit{}) // ends the goroutine, not the program
	if n := q.calls.Load(); n != 2 {
		t.Errorf("%d flushes", n)
	}
	t.Setenv("OTELOBJ_SHUTDOWN_TIMEOUT", "0")
	AfterMain(returned{})
	if n := q.calls.Load(); n != 2 {
		t.Error("flushed, although switched off")
	}
}

// returned and goexit are the contexts of a call that returned, and of one that runtime.Goexit ended.
type returned struct{ HookContext }

func (returned) Unwound() (any, bool, bool) { return nil, false, false }

type goexit struct{ HookContext }

func (goexit) Unwound() (any, bool, bool) { return nil, true, true }

func TestTimeout(t *testing.T) {
	for text, want := range map[string]time.Duration{"": defaultTimeout, "250": 250 * time.Millisecond, "2s": 2 * time.Second, "-1s": defaultTimeout, "soon": defaultTimeout} {
		t.Setenv("OTELOBJ_SHUTDOWN_TIMEOUT", text)
		if got := timeout(); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestDisabled(t *testing.T) {
	t.Setenv("OTEL_SDK_DISABLED", "TRUE")
	setFlushers(t)
	watching := watchSignals
	defer func() { watchSignals = watching }()
	watchSignals = func() { t.Error("watches for signals") }
	start(t.Context())
	if flushers != nil {
		t.Errorf("set up %v", flushers)
	}
}
