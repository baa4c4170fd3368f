package sdk

import (
	"runtime/debug"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
)

// said collects what is reported until the test ends.
func said(t *testing.T) *[]string {
	t.Helper()
	lines := &[]string{}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { *lines = append(*lines, err.Error()) }))
	t.Cleanup(func() { otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {})) })
	return lines
}

// linkedWith makes the build settings those of a program that was linked with these names.
func linkedWith(t *testing.T, instrumentations, builtIn string) {
	t.Helper()
	settings := []debug.BuildSetting{{Key: namesSetting, Value: instrumentations}, {Key: builtInSetting, Value: builtIn}}
	readBuildInfo = func() (*debug.BuildInfo, bool) { return &debug.BuildInfo{Settings: settings}, true }
	t.Cleanup(func() { readBuildInfo = debug.ReadBuildInfo })
}

func TestSettingsThatMeanNothingAreNamed(t *testing.T) {
	linkedWith(t, "nethttp,shop", "nethttp,pgx,probe,sdk")
	for _, c := range []struct{ env, want string }{
		{"OTEL_GO_DISABLED_INSTRUMENTATIONS=nethttp", ""},
		{"OTEL_GO_ENABLED_INSTRUMENTATIONS=sdk,nethttp,nethttp_client", ""},
		{"OTEL_GO_DISABLED_INSTRUMENTATIONS=nethtp,nethttp,shp", "otelobj: OTEL_GO_DISABLED_INSTRUMENTATIONS: no instrumentation or rule is called nethtp, shp; known: nethttp, shop"},
		{"OTEL_GO_ENABLED_INSTRUMENTATIONS=grpc", "otelobj: OTEL_GO_ENABLED_INSTRUMENTATIONS: no instrumentation or rule is called grpc; known: nethttp, shop"},
		{"OTEL_GO_ENABLED_INSTRUMENTATIONS=pgx,pgx_connect,shop", ""},
		{"OTEL_GO_ENABLED_INSTRUMENTATIONS=shop_x", "otelobj: OTEL_GO_ENABLED_INSTRUMENTATIONS: no instrumentation or rule is called shop_x; known: nethttp, shop"},
		{"OTEL_CONFIG_FILE=", ""},
		{"OTEL_CONFIG_FILE=otel.yaml", "otelobj: OTEL_CONFIG_FILE=otel.yaml: otelobj reads no configuration files: variables say what is exported, and where to"},
		{"OTELOBJ_SHUTDOWN_TIMEOUT=", ""},
		{"OTELOBJ_SHUTDOWN_TIMEOUT=0", ""},
		{"OTELOBJ_SHUTDOWN_TIMEOUT=300", ""},
		{"OTELOBJ_SHUTDOWN_TIMEOUT=1.5s", ""},
		{"OTELOBJ_SHUTDOWN_TIMEOUT=5 sec", "otelobj: OTELOBJ_SHUTDOWN_TIMEOUT=5 sec: not a duration such as 500ms or 10s, nor a number of milliseconds; it is 5s"},
		{"OTELOBJ_SHUTDOWN_TIMEOUT=-1", "otelobj: OTELOBJ_SHUTDOWN_TIMEOUT=-1: not a duration such as 500ms or 10s, nor a number of milliseconds; it is 5s"},
	} {
		if strings.HasPrefix(c.env, "OTEL_CONFIG_FILE=") && !hasSDK {
			continue
		}
		t.Run(c.env, func(t *testing.T) {
			name, value, _ := strings.Cut(c.env, "=")
			t.Setenv(name, value)
			lines := said(t)
			checkSettings()
			if got := strings.Join(*lines, "\n"); got != c.want {
				t.Errorf("said %q, not %q", got, c.want)
			}
		})
	}
}

func TestNamesAreNotCheckedWithoutBuildSettings(t *testing.T) {
	t.Setenv("OTEL_GO_DISABLED_INSTRUMENTATIONS", "grpc")
	lines := said(t)
	checkSettings()
	if len(*lines) != 0 {
		t.Errorf("said %q", *lines)
	}
}
