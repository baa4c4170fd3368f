//go:build !otelobj_program

package sdk

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
)

// What becomes of exports. The SDK prints every failure, every few seconds, also where nobody has asked for telemetry and there is no collector.
// So failures end here. They are reported where an export has succeeded before or a variable speaks of telemetry; once, until one succeeds
// again; and once for all signals that fail for the same cause. With OTEL_LOG_LEVEL=info each is reported.

type outcomes struct {
	sync.Mutex
	succeeded bool              // any signal, ever
	failing   map[string]string // by signal: the cause
}

var exports outcomes

// note takes in how an export has ended; n: how many spans or metrics it had.
func (o *outcomes) note(signal string, n int, err error) {
	if err == nil {
		if n > 0 { // nobody has been asked to take nothing
			o.success(signal, n)
		}
		return
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && len(oneFlush) != 0 {
		return // the end of the program, which says itself what was not sent
	}
	if !o.failure(signal, cause(err)) {
		return
	}
	report(lower(signal), err)
}

func (o *outcomes) success(signal string, n int) {
	o.Lock()
	again := o.failing[signal] != ""
	o.succeeded = true
	delete(o.failing, signal)
	o.Unlock()
	if again {
		say(levelInfo, "%s: exported again", lower(signal))
	}
	say(levelDebug, "%s: exported %d", lower(signal), n)
}

// failure reports whether a failure is to be told of.
func (o *outcomes) failure(signal, cause string) bool {
	o.Lock()
	defer o.Unlock()
	if says(levelInfo) {
		return true
	}
	if !o.succeeded && !asked() {
		return false
	}
	known := false
	for _, other := range o.failing {
		known = known || other == cause
	}
	known = known || o.failing[signal] != ""
	if o.failing == nil {
		o.failing = make(map[string]string)
	}
	o.failing[signal] = cause
	return !known
}

// isHeard reports whether anybody wants to hear of telemetry: it is asked for, or it has worked.
func (o *outcomes) isHeard() bool {
	o.Lock()
	defer o.Unlock()
	return o.succeeded || asked()
}

// cause is what signals that fail together have in common: that there is no connection, the status over gRPC, or what went wrong with a host, whatever the
// exporter has written around it.
func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	if grpcStatus != nil {
		if status := grpcStatus(err); status != "" {
			return status
		}
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		if to, bad := url.Parse(failed.URL); bad == nil {
			return to.Host + ": " + failed.Err.Error()
		}
	}
	return err.Error()
}

// grpcStatus returns the status in an error, "" if there is none. nil in a program that cannot export over gRPC.
var grpcStatus func(error) string

func setGRPCStatus(f func(error) string) bool {
	grpcStatus = f
	return true
}

// spanExporter and metricExporter note what becomes of exports, and keep failures from the SDK.

type spanExporter struct{ trace.SpanExporter }

func (e spanExporter) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	exports.note(tracesSignal, len(spans), e.SpanExporter.ExportSpans(ctx, spans))
	return nil
}

type metricExporter struct{ metric.Exporter }

func (e metricExporter) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	n := 0
	for _, scope := range rm.ScopeMetrics {
		n += len(scope.Metrics)
	}
	exports.note(metricsSignal, n, e.Exporter.Export(ctx, rm))
	return nil
}

const (
	tracesSignal  = "TRACES"
	metricsSignal = "METRICS"
)

// lower is a signal's name as a message has it.
func lower(signal string) string { return strings.ToLower(signal) }
