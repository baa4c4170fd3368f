//go:build !otelobj_program

package sdk

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

// hostileText is what a collector may say to a terminal.
var hostileText = "\x1b[2Jcleared\r\n2026/01/01 forged line " + strings.Repeat("x", 5000)

// partialSuccess is an answer by hand: one span or data point is rejected, and why (opentelemetry-proto, Export…PartialSuccess).
func partialSuccess(message string) []byte {
	inner := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
	inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), message)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
}

// TestWhatOpenTelemetryPrintsIsQuoted: in a process of its own, since the API knows who was the first to set a handler.
func TestWhatOpenTelemetryPrintsIsQuoted(t *testing.T) {
	switch os.Getenv("OTELOBJ_TEST_CHILD") {
	case "":
	case "before":
		otel.SetErrorHandler(plainHandler{})
		quoteErrors()
		exportTo(t)
		return
	case "after":
		quoteErrors()
		otel.SetErrorHandler(plainHandler{})
		exportTo(t)
		return
	case "fetched":
		early := otel.GetErrorHandler()
		quoteErrors()
		fetched := otel.GetErrorHandler()
		otel.SetErrorHandler(plainHandler{})
		early.Handle(errors.New("early"))
		fetched.Handle(errors.New("fetched"))
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { fetched.Handle(fmt.Errorf("wrapped %w", err)) }))
		otel.Handle(errors.New("second"))
		return
	default:
		early := otel.GetErrorHandler()
		quoteErrors()
		exportTo(t)
		early.Handle(errors.New("early \x1b"))
		return
	}
	run := func(child string) string {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWhatOpenTelemetryPrintsIsQuoted$")
		cmd.Env = append(os.Environ(), "OTELOBJ_TEST_CHILD="+child)
		var said strings.Builder
		cmd.Stderr = &said
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, said.String())
		}
		return said.String()
	}
	said := run("ours")
	if strings.ContainsAny(said, "\x1b\r") || strings.Count(said, "\n") != 2 || len(said) > 3*maxText {
		t.Errorf("printed %q", said)
	}
	if !strings.Contains(said, `OTLP partial success: \x1b[2Jcleared\r\n`) || !strings.Contains(said, `"early \x1b"`) {
		t.Errorf("not in quotes: %q", said)
	}
	if said, want := run("fetched"), "the program's: early\nthe program's: fetched\nthe program's: wrapped second\n"; said != want {
		t.Errorf("%q instead of %q", said, want)
	}
	for _, child := range []string{"before", "after"} {
		if said := run(child); !strings.Contains(said, hostileText) || !strings.HasPrefix(said, "the program's: ") {
			t.Errorf("%s: the program's own handler got %q", child, said)
		}
	}
}

// plainHandler is a program's own.
type plainHandler struct{}

func (plainHandler) Handle(err error) { fmt.Fprintln(os.Stderr, "the program's:", err) }

func exportTo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(partialSuccess(hostileText))
	}))
	defer server.Close()
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	if err := exporter.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: "s"}}.Snapshots()); err != nil {
		otel.Handle(err) // older releases do that themselves
	}
}

// TestWhatIsQuotedOnce: nothing that has been made printable lets something else through.
func TestWhatIsQuotedOnce(t *testing.T) {
	inner := quoted(errors.New("\x1b" + strings.Repeat("\x00", maxText)))
	if got := quoted(fmt.Errorf("at the end: %w", inner)); got.Error() != "at the end: "+inner.Error() {
		t.Errorf("quoted twice: %s", got)
	}
	if got := quoted(fmt.Errorf("\x1b: %w", inner)); strings.Contains(got.Error(), "\x1b") {
		t.Errorf("%q", got)
	}
}

// TestAnswersOverGRPCAreBounded: of the exporters that the environment asks for, whether or not it says where the collector is.
func TestAnswersOverGRPCAreBounded(t *testing.T) {
	without(t)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	listener := listen(t, "localhost:4317")
	message := ""
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		if err := stream.RecvMsg(new(emptypb.Empty)); err != nil {
			return err
		}
		answer := new(emptypb.Empty)
		answer.ProtoReflect().SetUnknown(partialSuccess(message))
		return stream.SendMsg(answer)
	}))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	for _, endpoint := range []string{"", "http://localhost:4317"} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		spans, err := newSpanExporter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		metrics, err := newMetricExporter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for size, want := range map[int]codes.Code{1000: codes.OK, maxAnswer / 2: codes.OK, maxAnswer: codes.ResourceExhausted} {
			message = strings.Repeat("x", size)
			if err := spans.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: "s"}}.Snapshots()); codeOf(err) != want {
				t.Errorf("%q, %d bytes, spans: %v", endpoint, size, err)
			}
			var data metricdata.ResourceMetrics
			data.ScopeMetrics = []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{{Name: "m", Data: metricdata.Gauge[int64]{}}}}}
			if err := metrics.Export(t.Context(), &data); codeOf(err) != want {
				t.Errorf("%q, %d bytes, metrics: %v", endpoint, size, err)
			}
		}
		_ = spans.Shutdown(t.Context())
		_ = metrics.Shutdown(t.Context())
	}
}

// TestHeadersOfAnswersAreBounded: and trailers.
func TestHeadersOfAnswersAreBounded(t *testing.T) {
	without(t)
	long := strings.Repeat("x", 2*maxAnswer)
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Long", long) }))
	defer served.Close()
	listener := listen(t, "localhost:0")
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		stream.SetTrailer(metadata.Pairs("x-long", long))
		return stream.SendMsg(new(emptypb.Empty))
	}))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	for protocol, endpoint := range map[string]string{"http/protobuf": served.URL, "grpc": "http://" + listener.Addr().String()} {
		t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "20000")
		spans, err := newSpanExporter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		boundAnswers(spans)
		if err := spans.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: "s"}}.Snapshots()); err == nil {
			t.Errorf("%s: the answer was read", protocol)
		}
		_ = spans.Shutdown(t.Context())
	}
}

// codeOf is the code of what the exporters return, whose releases differ in what they accept and wrap: a partial success is none.
func codeOf(err error) codes.Code {
	var failed interface{ GRPCStatus() *status.Status }
	if errors.As(err, &failed) {
		return failed.GRPCStatus().Code()
	}
	return codes.OK
}
