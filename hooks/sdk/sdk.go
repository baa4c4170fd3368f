package sdk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

type flusher = active.Flusher

// flushers are the pipelines that were set up.
var flushers []flusher

func init() {
	if rt.Linked() {
		rt.Suppress(func() { start(context.Background()) })
	}
}

// start sets up everything, unless the environment says no: then the program is as it would be without.
func start(ctx context.Context) {
	if disabled() {
		rt.SetTelemetryEnabled(false)
		rt.SetEnabled("sdk", false)
		active.Keep(nil)
		say(levelInfo, "telemetry is off: OTEL_SDK_DISABLED is true")
		return
	}
	checkLogLevel()
	switchInstrumentations()
	active.WhenDropped(openSpans.forget)
	active.AskForParents(openSpans.parent)
	active.Keep(keeper{})
	if !quiet() {
		flushers = setup(ctx)
	}
	say(levelInfo, "%s", description(flushers))
	if timeout() > 0 {
		rt.OnFatalPanic(atExit)
		rt.OnExit(atExit)
		if len(flushers) != 0 {
			watchSignals() // where nothing is exported, no goroutine shows that we are there
		}
	}
}

// disabled is asked for by a variable. In a program with privileges that its user does not have nothing of the environment counts, also what
// OpenTelemetry's packages read by themselves, so there is no telemetry.
func disabled() bool {
	return rt.Privileged() || strings.EqualFold(strings.TrimSpace(environ.Get("OTEL_SDK_DISABLED")), "true")
}

// setup makes the global providers and returns what has to be flushed at exit.
func setup(ctx context.Context) []flusher {
	quoteErrors()
	otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())
	res := newResource(ctx)
	var made []flusher
	if tp := newTracerProvider(ctx, res); tp != nil {
		made = append(made, pipeline{tp, tracesSignal})
		follow(tp)
		otel.SetTracerProvider(tp)
	}
	if mp := newMeterProvider(ctx, res); mp != nil {
		made = append(made, pipeline{mp, metricsSignal})
		otel.SetMeterProvider(&meterProvider{MeterProvider: mp})
		report("runtime metrics", runtime.Start(runtime.WithMeterProvider(mp)))
	}
	return made
}

// newTracerProvider returns nil if spans are not to be exported: then none are recorded, and contexts still pass through.
func newTracerProvider(ctx context.Context, res *resource.Resource) *trace.TracerProvider {
	exporter, err := newSpanExporter(ctx)
	if err != nil || exporter == nil {
		report(blame(tracesSignal, err))
		return nil
	}
	if isNoSpanExporter(exporter) {
		return nil
	}
	boundAnswers(exporter)
	limits := spanLimits()
	waiting := newQueue(spanExporter{exporter}, limits.AttributeValueLengthLimit)
	return trace.NewTracerProvider(
		trace.WithSpanProcessor(ownSpans{&openSpans, waiting}), trace.WithSpanProcessor(waiting), trace.WithRawSpanLimits(limits), trace.WithResource(res))
}

func newMeterProvider(ctx context.Context, res *resource.Resource) *metric.MeterProvider {
	reader, err := newMetricReader(ctx)
	if err != nil || reader == nil {
		report(blame(metricsSignal, err))
		return nil
	}
	if isNoMetricReader(reader) {
		return nil
	}
	return metric.NewMeterProvider(metric.WithReader(reader), metric.WithResource(res))
}

// switchInstrumentations obeys the two variables that name instrumentations; the one that disables has the last word.
func switchInstrumentations() {
	checkSettings()
	if only := names(environ.Get("OTEL_GO_ENABLED_INSTRUMENTATIONS")); len(only) > 0 {
		rt.SetTelemetryEnabled(false) // hooks of the program's own may serve other ends
		for _, name := range only {
			rt.SetEnabled(name, true)
		}
	}
	for _, name := range names(environ.Get("OTEL_GO_DISABLED_INSTRUMENTATIONS")) {
		rt.SetEnabled(name, false)
	}
}

func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// setting shows a variable with its value.
func setting(name string) string { return name + "=" + environ.Get(name) }

// report hands an error to otel's error handler, which prints it unless the program has set another one.
func report(what string, err error) {
	if err != nil && says(levelError) {
		otel.Handle(fmt.Errorf("otelobj: %s: %w", what, quoted(err)))
	}
}

var errTimeout = errors.New("telemetry was not flushed in time (OTELOBJ_SHUTDOWN_TIMEOUT)")
