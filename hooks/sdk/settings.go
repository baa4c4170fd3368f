package sdk

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// A variable with a value that means nothing would do nothing, without a word: each such variable is a line for otel's error handler.

// namesSetting is the build setting in which the link step lists the instrumentations and rules that it was given, whether or not this program has
// anything for them: one environment may serve many programs.
const namesSetting = "otelobj.instrumentations"

// supportingNames are instrumentations that make no telemetry, which nobody needs to be offered.
var supportingNames = []string{"sdk", "probe"}

// protocols are those of the Go exporters.
var protocols = []string{"grpc", "http/protobuf"}

func checkSettings() {
	checkNames("OTEL_GO_ENABLED_INSTRUMENTATIONS")
	checkNames("OTEL_GO_DISABLED_INSTRUMENTATIONS")
	if text := environ.Get(timeoutVariable); strings.TrimSpace(text) != "" {
		if _, ok := parseTimeout(text); !ok {
			report(setting(timeoutVariable), fmt.Errorf("not a duration such as 500ms or 10s, nor a number of milliseconds; it is %v", defaultTimeout))
		}
	}
}

// checkNames reports the names in a variable that no instrumentation or rule has.
func checkNames(variable string) {
	known := knownNames()
	unknown := slices.DeleteFunc(names(environ.Get(variable)), func(name string) bool {
		return slices.Contains(known, name) || rt.Has(name) || ofBuiltin(name)
	})
	if len(unknown) == 0 {
		return
	}
	known = slices.DeleteFunc(known, func(name string) bool { return slices.Contains(supportingNames, name) })
	report(variable, fmt.Errorf("no instrumentation or rule is called %s; known: %s", strings.Join(unknown, ", "), strings.Join(known, ", ")))
}

// ofBuiltin reports whether a name is that of a rule of otelobj's own, which begins with its instrumentation: nethttp_client. They are not listed.
func ofBuiltin(name string) bool {
	instrumentation, _, ok := strings.Cut(name, "_")
	return ok && (slices.Contains(builtin, instrumentation) || slices.Contains(supportingNames, instrumentation))
}

// knownNames returns what the link step has listed, and what comes with otelobj.
func knownNames() []string {
	known := append(slices.Clone(builtin), supportingNames...)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == namesSetting {
				known = append(known, names(s.Value)...)
			}
		}
	}
	slices.Sort(known)
	return slices.Compact(known)
}

const timeoutVariable = "OTELOBJ_SHUTDOWN_TIMEOUT"

// parseTimeout reads a duration, or a number of milliseconds as OpenTelemetry's own variables have it.
func parseTimeout(text string) (d time.Duration, ok bool) {
	text = strings.TrimSpace(text)
	if ms, err := strconv.Atoi(text); err == nil && ms >= 0 {
		return time.Duration(ms) * time.Millisecond, true
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}

// blame returns the setting on account of which there is no exporter for a signal, and what is wrong with it. err: what the exporters say, who
// call a protocol that they do not have an exporter that is not known.
func blame(signal string, err error) (what string, why error) {
	what = setting("OTEL_" + signal + "_EXPORTER")
	protocol := pipeline{signal: signal}.otlp("PROTOCOL")
	if exporter := environ.Get("OTEL_" + signal + "_EXPORTER"); err == nil || exporter != "" && exporter != "otlp" || protocol == "" || slices.Contains(protocols, protocol) {
		return what, err
	}
	variable := "OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL"
	if environ.Get(variable) == "" {
		variable = "OTEL_EXPORTER_OTLP_PROTOCOL"
	}
	return setting(variable), errors.New("the Go exporters do not support this protocol, so no " + strings.ToLower(signal) + " are exported; they support " + strings.Join(protocols, " and "))
}
