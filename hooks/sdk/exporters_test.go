//go:build !otelobj_program

package sdk

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// TestWhereToAndHow looks at the first bytes that an exporter sends: a request, HTTP/2's preface, or a TLS handshake.
func TestWhereToAndHow(t *testing.T) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	const tls = "\x16\x03"
	for _, c := range []struct{ signal, port, env, want string }{
		{"TRACES", "4318", "", "POST /v1/traces "},
		{"METRICS", "4318", "", "POST /v1/metrics "},
		{"TRACES", "4318", "OTEL_TRACES_EXPORTER=otlp", "POST /v1/traces "},
		{"METRICS", "4318", "OTEL_METRICS_PRODUCERS=prometheus", "POST /v1/metrics "},
		{"TRACES", "4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "PRI * HTTP/2.0"},
		{"METRICS", "4317", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=grpc", "PRI * HTTP/2.0"},
		// What the environment says of TLS is obeyed.
		{"TRACES", "4318", "OTEL_EXPORTER_OTLP_INSECURE=false", tls},
		{"METRICS", "4318", "OTEL_EXPORTER_OTLP_METRICS_INSECURE=false", tls},
		{"TRACES", "4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://localhost:4318", tls},
		{"TRACES", "4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_EXPORTER_OTLP_ENDPOINT=https://localhost:4317", tls},
		// One signal's is none of the other's business.
		{"TRACES", "4318", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=https://collector.example", "POST /v1/traces "},
	} {
		t.Run(c.signal+" "+c.env, func(t *testing.T) {
			for _, setting := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(setting, "=")
				t.Setenv(name, value)
			}
			listener := listen(t, "localhost:"+c.port)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go export(ctx, t, c.signal)
			conn, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			first := make([]byte, len(c.want))
			if _, err := io.ReadFull(conn, first); err != nil || string(first) != c.want {
				t.Errorf("%q (%v), not %q", first, err, c.want)
			}
		})
	}
}

// listen waits until the port is free: others run this test, too.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	for {
		l, err := net.Listen("tcp", address)
		if err == nil {
			t.Cleanup(func() { l.Close() })
			return l
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func export(ctx context.Context, t *testing.T, signal string) {
	if signal == "TRACES" {
		exporter, err := newSpanExporter(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
		_, span := tp.Tracer("test").Start(ctx, "span")
		span.End()
		return
	}
	reader, err := newMetricReader(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	count, err := mp.Meter("test").Int64Counter("count")
	if err != nil {
		t.Error(err)
		return
	}
	count.Add(ctx, 1)
	_ = mp.ForceFlush(ctx)
}

func TestOtherExportersAreAutoexports(t *testing.T) {
	for env, want := range map[string]string{
		"OTEL_TRACES_EXPORTER=carrier-pigeon":          "unknown exporter",
		"OTEL_EXPORTER_OTLP_PROTOCOL=carrier-pigeon":   "invalid OTLP protocol",
		"OTEL_METRICS_PRODUCERS=prometheus,unheard-of": "unknown exporter or metrics producer",
	} {
		t.Run(env, func(t *testing.T) {
			name, value, _ := strings.Cut(env, "=")
			t.Setenv(name, value)
			_, err := newSpanExporter(t.Context())
			if strings.HasPrefix(name, "OTEL_METRICS") {
				_, err = newMetricReader(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestQuietInTests(t *testing.T) {
	defer func(old func() bool) { isTest = old }(isTest)
	if isTest() || quiet() {
		t.Error("otelobj has not linked this, and nobody else knows that it is a test")
	}
	isTest = func() bool { return true }
	if !quiet() {
		t.Error("exports without being asked")
	}
	for _, name := range []string{"OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "something")
			if quiet() {
				t.Error("does not export")
			}
		})
	}
	t.Setenv("OTEL_SERVICE_NAME", "something")
	if !quiet() {
		t.Error("a name is no wish to export")
	}
}
