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

// Build settings in which the link step lists names, whether or not this program has anything for them: one environment may serve many programs.
const (
	namesSetting   = "otelobj.instrumentations" // instrumentations and rules that it was given
	builtInSetting = "otelobj.built-in"         // instrumentations that come with otelobj, left out of this build or not; their rules are not listed
)

var readBuildInfo = debug.ReadBuildInfo

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

// checkNames reports the names in a variable that no instrumentation or rule has. A program without build settings knows too few of them.
func checkNames(variable string) {
	known, builtIn := listedNames(namesSetting), listedNames(builtInSetting)
	unknown := slices.DeleteFunc(names(environ.Get(variable)), func(name string) bool {
		instrumentation, _, _ := strings.Cut(name, "_") // nethttp_client is a rule of nethttp
		return slices.Contains(known, name) || slices.Contains(builtIn, instrumentation) || rt.Has(name)
	})
	if len(unknown) == 0 || len(builtIn) == 0 {
		return
	}
	report(variable, fmt.Errorf("no instrumentation or rule is called %s; known: %s", strings.Join(unknown, ", "), strings.Join(known, ", ")))
}

// listedNames returns the names in a build setting.
func listedNames(setting string) []string {
	if info, ok := readBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == setting {
				return names(s.Value)
			}
		}
	}
	return nil
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
	var absent absentError
	if errors.As(err, &absent) {
		return setting(absent.variable), err
	}
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
