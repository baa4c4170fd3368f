package sdk

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

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

func checkSettings() {
	checkNames("OTEL_GO_ENABLED_INSTRUMENTATIONS")
	checkNames("OTEL_GO_DISABLED_INSTRUMENTATIONS")
	for _, file := range []string{"OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"} {
		if hasSDK && environ.Get(file) != "" {
			report(setting(file), errors.New("otelobj reads no configuration files: variables say what is exported, and where to"))
		}
	}
	if strings.TrimSpace(environ.Get(environ.ShutdownTimeout)) != "" {
		if _, ok := environ.Timeout(); !ok {
			report(setting(environ.ShutdownTimeout), fmt.Errorf("not a duration such as 500ms or 10s, nor a number of milliseconds; it is %v", defaultTimeout))
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
