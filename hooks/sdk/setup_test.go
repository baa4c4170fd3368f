//go:build !otelobj_program

package sdk

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

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
		table.add(openSpan{span.(tracked), &copies{exported}})
		if name == "ended" {
			span.End()
		}
	}
	if table.copy(); len(exported.Ended()) != 1 || exported.Ended()[0].Name() != "open" {
		t.Errorf("%v", exported.Ended())
	}
}

func TestProtocolsThatTheExportersDoNotHaveAreNamed(t *testing.T) {
	const so = ": the Go exporters do not support this protocol, so no "
	const they = " are exported; they support grpc and http/protobuf"
	for _, c := range []struct{ env, traces, metrics string }{
		{
			"OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
			"otelobj: OTEL_EXPORTER_OTLP_PROTOCOL=http/json" + so + "traces" + they,
			"otelobj: OTEL_EXPORTER_OTLP_PROTOCOL=http/json" + so + "metrics" + they,
		},
		{
			"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/json",
			"",
			"otelobj: OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/json" + so + "metrics" + they,
		},
		{
			"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=htp",
			"otelobj: OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=htp" + so + "traces" + they,
			"",
		},
	} {
		t.Run(c.env, func(t *testing.T) {
			name, value, _ := strings.Cut(c.env, "=")
			t.Setenv(name, value)
			for signal, want := range map[string]string{"TRACES": c.traces, "METRICS": c.metrics} {
				lines := said(t)
				if signal == "TRACES" {
					if tp := newTracerProvider(context.Background(), nil); tp != nil {
						_ = tp.Shutdown(context.Background())
					}
				} else if mp := newMeterProvider(context.Background(), nil); mp != nil {
					ctx, cancel := context.WithCancel(context.Background())
					cancel()
					_ = mp.Shutdown(ctx)
				}
				if got := strings.Join(*lines, "\n"); got != want && (want != "" || strings.Contains(got, "protocol")) {
					t.Errorf("%s: said %q, not %q", signal, got, want)
				}
			}
		})
	}
	t.Run("another exporter", func(t *testing.T) {
		t.Setenv("OTEL_TRACES_EXPORTER", "jaeger")
		t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
		lines := said(t)
		newTracerProvider(context.Background(), nil)
		if got := strings.Join(*lines, "\n"); !strings.HasPrefix(got, "otelobj: OTEL_TRACES_EXPORTER=jaeger: ") {
			t.Errorf("said %q", got)
		}
	})
}

func TestWhatIsShutDownIsKnown(t *testing.T) {
	if !isShutdown(metric.ErrReaderShutdown) || isShutdown(nil) || isShutdown(context.Canceled) {
		t.Errorf("%q is not what a reader says that is shut down: %v", errShutdown, metric.ErrReaderShutdown)
	}
}
