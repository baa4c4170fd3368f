// Package lines writes what hooks have to say to standard error, beside errors that go to otel's error handler. It depends on OTEL_LOG_LEVEL. Unset is
// warn: a program that nobody has told about telemetry does not speak of it.
package lines

import (
	"log"
	"os"
	"strings"
	"syscall"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Level is how much is said.
type Level int

// The levels, each of which says what those before it say.
const (
	None Level = iota
	Error
	Warn
	Info
	Debug
)

// Variable is the environment variable.
const Variable = "OTEL_LOG_LEVEL"

// levels are the values that OpenTelemetry's implementations know.
var levels = map[string]Level{
	"none": None, "off": None,
	"error": Error,
	"warn":  Warn, "warning": Warn, "": Warn,
	"info":  Info,
	"debug": Debug, "verbose": Debug, "trace": Debug, "all": Debug,
}

// Now reads the variable; known is false if it has none of the values.
func Now() (l Level, known bool) {
	l, known = levels[strings.ToLower(strings.TrimSpace(environ.Get(Variable)))]
	if !known {
		l = Warn
	}
	return l, known
}

// Are reports whether lines of a level are written.
func Are(l Level) bool {
	now, _ := Now()
	return now >= l
}

// Write writes a line if the level asks for it. It does not go through os.Stderr, which ends the program where nobody reads it any more: a plain
// program would not have written anything.
func Write(l Level, format string, args ...any) {
	if Are(l) {
		log.New(rawStderr{}, "", log.LstdFlags).Printf("otelobj: "+format, args...)
	}
}

type rawStderr struct{}

// Write implements io.Writer.
func (rawStderr) Write(p []byte) (int, error) { return syscall.Write(syscall.Stderr, p) }

// Asked reports whether the environment speaks of telemetry at all.
func Asked() bool {
	for _, s := range os.Environ() {
		name, value, _ := strings.Cut(s, "=")
		if value != "" && strings.HasPrefix(name, "OTEL_") {
			return true
		}
	}
	return false
}
