// Package environ reads environment variables for hooks. A program that runs with privileges its user does not have (setuid, setgid, file
// capabilities) has an environment that somebody else has written: there every variable is unset.
package environ

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/otelobj/otelobj/hooks/rt"
)

// Get returns a variable, "" if it is unset or not to be trusted.
func Get(name string) string {
	if rt.Privileged() {
		return ""
	}
	return os.Getenv(name)
}

// Disabled reports whether there is to be no telemetry. In a program with privileges that its user does not have nothing of the environment counts, also what
// OpenTelemetry's packages read by themselves, so there is none.
func Disabled() bool {
	return rt.Privileged() || strings.EqualFold(strings.TrimSpace(os.Getenv("OTEL_SDK_DISABLED")), "true")
}

// ShutdownTimeout is the name of the variable that says how long a program may be held up at its end.
const ShutdownTimeout = "OTELOBJ_SHUTDOWN_TIMEOUT"

// Timeout reads ShutdownTimeout: a duration, or a number of milliseconds as OpenTelemetry's own variables have it. ok: the variable holds one.
func Timeout() (d time.Duration, ok bool) {
	text := strings.TrimSpace(Get(ShutdownTimeout))
	if ms, err := strconv.Atoi(text); err == nil && ms >= 0 {
		return time.Duration(ms) * time.Millisecond, true
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}
