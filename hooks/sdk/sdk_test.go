package sdk

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
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

func TestBadExporterStopsNothing(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
	t.Setenv("OTEL_METRICS_EXPORTER", "none")
	var reported []string
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { reported = append(reported, err.Error()) }))
	if made := setup(t.Context()); len(made) != 0 {
		t.Errorf("set up %v", made)
	}
	if len(reported) != 1 || !strings.Contains(reported[0], "OTEL_TRACES_EXPORTER") || !strings.Contains(reported[0], "carrier-pigeon") {
		t.Errorf("reported %q", reported)
	}
}

func TestResource(t *testing.T) {
	get := func() map[string]string {
		m := map[string]string{}
		for _, kv := range newResource(t.Context()).Attributes() {
			m[string(kv.Key)] = kv.Value.Emit()
		}
		return m
	}
	m := get()
	if exe, _ := os.Executable(); m["service.name"] != filepath.Base(exe) {
		t.Errorf("service.name %q", m["service.name"])
	}
	for _, key := range []string{"telemetry.distro.name", "telemetry.distro.version", "telemetry.sdk.name", "host.name", "os.type", "process.pid", "process.runtime.version"} {
		if m[key] == "" {
			t.Errorf("no %s", key)
		}
	}
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=from-attributes,deployment.environment.name=test")
	if m = get(); m["service.name"] != "from-attributes" || m["deployment.environment.name"] != "test" {
		t.Errorf("%v", m)
	}
	t.Setenv("OTEL_SERVICE_NAME", "mine")
	if m = get(); m["service.name"] != "mine" {
		t.Errorf("service.name %q", m["service.name"])
	}
}

// TestSetupWaitsForNobody: with a collector that never answers, a set-up that waited would not return.
func TestSetupWaitsForNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
		if made := setup(t.Context()); len(made) != 2 {
			t.Errorf("%s: set up %v", protocol, made)
		}
	}
}

// TestExportSoon: what is finished, one at a time, and not again at once; what is open stays so.
func TestExportSoon(t *testing.T) {
	q := &quick{}
	setFlushers(t, q)
	t.Cleanup(func() { background.began, background.busy = time.Time{}, false })
	busy := func() bool {
		background.Lock()
		defer background.Unlock()
		return background.busy
	}
	background.began = time.Now().Add(time.Hour) // a moment ago, however slow the machine is
	exportSoon()
	background.began, background.busy = time.Time{}, true
	exportSoon()
	if n := q.calls.Load(); n != 0 || !busy() {
		t.Errorf("%d exports", n)
	}
	background.busy = false
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ownSpans{&openSpans, nil}))
	_, span := tp.Tracer("t").Start(t.Context(), "open")
	exportSoon()
	for busy() {
		time.Sleep(time.Millisecond)
	}
	if n := q.calls.Load(); n != 1 || !span.IsRecording() {
		t.Errorf("%d exports, the span is open: %v", n, span.IsRecording())
	}
	span.End()
	t.Setenv("OTELOBJ_SHUTDOWN_TIMEOUT", "0")
	background.began = time.Time{}
	exportSoon()
	if n := q.calls.Load(); n != 1 || busy() {
		t.Error("exported, although switched off")
	}
}

// A span that ends while open ones are copied is exported by its own end alone.
func TestEndedSpansAreNotCopied(t *testing.T) {
	var table spanTable
	exported := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider().Tracer("t")
	for _, name := range []string{"ended", "open"} {
		_, span := tracer.Start(context.Background(), name)
		table.add(openSpan{span.(tracked), exported})
		if name == "ended" {
			span.End()
		}
	}
	if table.copy(); len(exported.Ended()) != 1 || exported.Ended()[0].Name() != "open" {
		t.Errorf("%v", exported.Ended())
	}
}
