//go:build !otelobj_program

package sdk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// without unsets what the environment says of telemetry.
func without(t *testing.T) {
	t.Helper()
	for _, s := range os.Environ() {
		if name, _, _ := strings.Cut(s, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
}

// heard collects what reaches the error handler of OpenTelemetry. Timers of tests that are over still report dropped spans to it.
type heard struct {
	sync.Mutex
	lines []string
}

func told(t *testing.T) *heard {
	t.Helper()
	h := new(heard)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		h.Lock()
		defer h.Unlock()
		h.lines = append(h.lines, err.Error())
	}))
	return h
}

// of returns the lines that speak of one of these.
func (h *heard) of(words ...string) []string {
	h.Lock()
	defer h.Unlock()
	var found []string
	for _, line := range h.lines {
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(line, word) }) {
			found = append(found, line)
		}
	}
	return found
}

func TestOutcomes(t *testing.T) {
	without(t)
	refused := &url.Error{Op: "Post", URL: "http://x", Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}}
	for _, c := range []struct {
		what, env, value string
		steps            []string // a signal; with +: a success, with !: a failure that is to be told of
	}{
		{"nobody has asked", "", "", []string{"T", "M", "T"}},
		{"a success before", "", "", []string{"+T", "!T", "M", "T", "T"}},
		{"success of one counts for the other", "", "", []string{"M", "+T", "!M", "M"}},
		{"a variable", "OTEL_SERVICE_NAME", "x", []string{"!T", "M", "T"}},
		{"another outage", "OTEL_SERVICE_NAME", "x", []string{"!T", "T", "+T", "!T", "T"}},
		{"one of two works", "OTEL_SERVICE_NAME", "x", []string{"+T", "!M", "+T", "M", "+T", "M"}},
		{"each, if the level asks for it", "OTEL_LOG_LEVEL", "info", []string{"!T", "!M", "!T"}},
		{"none, if the level asks for that", "OTEL_LOG_LEVEL", "none", []string{"T", "M"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			lines := told(t)
			if c.env != "" {
				t.Setenv(c.env, c.value)
			}
			var o outcomes
			for i, step := range c.steps {
				before := len(lines.of("refused"))
				switch signal := strings.TrimLeft(step, "+!"); {
				case strings.HasPrefix(step, "+"):
					o.note(signal, 1, nil)
				default:
					o.note(signal, 1, fmt.Errorf("upload: %w", refused))
				}
				if got := len(lines.of("refused")) - before; got != strings.Count(step, "!") {
					t.Errorf("step %d, %s: %d lines", i, step, got)
				}
			}
		})
	}
}

// TestOtherCause: signals that fail for different causes are reported one by one.
func TestOtherCause(t *testing.T) {
	without(t)
	t.Setenv("OTEL_SERVICE_NAME", "x")
	lines := told(t)
	var o outcomes
	o.note("TRACES", 1, errors.New("not found"))
	o.note("METRICS", 1, errors.New("unauthorized"))
	o.note("METRICS", 1, context.Canceled)
	if got := lines.of("not found", "unauthorized", "canceled"); len(got) != 2 {
		t.Errorf("told of %q", got)
	}
	o = outcomes{} // by gRPC each exporter has words of its own around the status
	down := status.Error(codes.Unavailable, "nobody")
	o.note("TRACES", 1, fmt.Errorf("traces export: %w", down))
	o.note("METRICS", 1, fmt.Errorf("failed to upload metrics: %w", down))
	if got := lines.of("nobody"); len(got) != 1 {
		t.Errorf("told of %q", got)
	}
	o = outcomes{}
	for _, step := range []string{"TRACES http://one/v1/traces", "METRICS http://one/v1/metrics", "METRICS http://two/v1/metrics"} {
		signal, to, _ := strings.Cut(step, " ")
		o.note(signal, 1, fmt.Errorf("%s export: %w", signal, &url.Error{Op: "Post", URL: to, Err: errors.New("no certificate")}))
		delete(o.failing, "METRICS")
	}
	if got := lines.of("no certificate"); len(got) != 2 {
		t.Errorf("told of %q", got)
	}
}

// TestFailuresStayHere: the SDK prints what an exporter returns.
func TestFailuresStayHere(t *testing.T) {
	without(t)
	lines := told(t)
	tp := trace.NewTracerProvider(trace.WithBatcher(spanExporter{failing{}}))
	_, span := tp.Tracer("test").Start(t.Context(), "span")
	span.End()
	if err := tp.ForceFlush(t.Context()); err != nil || len(lines.of("no such collector")) != 0 {
		t.Errorf("%v, %q", err, lines.of("no such collector"))
	}
}

type failing struct{ trace.SpanExporter }

func (failing) ExportSpans(context.Context, []trace.ReadOnlySpan) error {
	return errors.New("no such collector")
}

func TestDestination(t *testing.T) {
	without(t)
	for env, want := range map[string][2]string{
		"":                                 {"otlp (http/protobuf) to http://localhost:4318/v1/traces", "otlp (http/protobuf) to http://localhost:4318/v1/metrics"},
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc": {"otlp (grpc) to http://localhost:4317", "otlp (grpc) to http://localhost:4317"},
		"OTEL_EXPORTER_OTLP_ENDPOINT=https://u:secret@h/base/":          {"otlp (http/protobuf) to https://u:xxxxx@h/base/v1/traces", "otlp (http/protobuf) to https://u:xxxxx@h/base/v1/metrics"},
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://h/x":                 {"otlp (http/protobuf) to http://h/x", "otlp (http/protobuf) to http://localhost:4318/v1/metrics"},
		"OTEL_EXPORTER_OTLP_INSECURE=false":                             {"otlp (http/protobuf) to https://localhost:4318/v1/traces", "otlp (http/protobuf) to https://localhost:4318/v1/metrics"},
		"OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=prometheus": {"console", "prometheus"},
	} {
		t.Run(env, func(t *testing.T) {
			for _, s := range strings.Fields(env) {
				name, value, _ := strings.Cut(s, "=")
				t.Setenv(name, value)
			}
			if got := [2]string{destination("TRACES"), destination("METRICS")}; got != want {
				t.Errorf("%q, not %q", got, want)
			}
		})
	}
}

func TestLogLevel(t *testing.T) {
	for text, want := range map[string]level{"": levelWarn, "None": levelNone, " error ": levelError, "WARN": levelWarn, "info": levelInfo, "verbose": levelDebug} {
		t.Setenv("OTEL_LOG_LEVEL", text)
		if got, known := logLevel(); got != want || !known {
			t.Errorf("%q: %v, %v", text, got, known)
		}
	}
	t.Setenv("OTEL_LOG_LEVEL", "loud")
	lines := told(t)
	if checkLogLevel(); len(lines.of("loud")) == 0 {
		t.Errorf("told of %q", lines.lines)
	}
}
