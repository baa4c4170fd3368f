package sdk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Version is the version of otelobj, telemetry.distro.version.
const Version = "0.1.0"

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
	if environ.Disabled() {
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
		quoteErrors()
		otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())
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

// quiet reports whether nothing is exported because nobody has asked for it: in test binaries, whose goroutines, standard error and
// time are the tests'. Any variable that chooses or configures an exporter asks for it.
func quiet() bool {
	return isTest() && !slices.ContainsFunc(os.Environ(), func(setting string) bool {
		name, value, _ := strings.Cut(setting, "=")
		return value != "" && strings.HasPrefix(name, "OTEL_") && (strings.HasPrefix(name, "OTEL_EXPORTER_") || strings.HasSuffix(name, "_EXPORTER"))
	})
}

// isTest is a variable for the tests of this package, which otelobj does not link. It may be called before the package is initialized.
var isTest = rt.IsTest

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
