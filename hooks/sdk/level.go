package sdk

import (
	"errors"
	"log"
	"os"
	"strings"
	"syscall"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// What is written to standard error, beside errors that go to otel's error handler, depends on OTEL_LOG_LEVEL. Unset is warn: a program that
// nobody has told about telemetry does not speak of it.

type level int

const (
	levelNone level = iota
	levelError
	levelWarn
	levelInfo
	levelDebug
)

const logLevelVariable = "OTEL_LOG_LEVEL"

// levels are the values that OpenTelemetry's implementations know.
var levels = map[string]level{
	"none": levelNone, "off": levelNone,
	"error": levelError,
	"warn":  levelWarn, "warning": levelWarn, "": levelWarn,
	"info":  levelInfo,
	"debug": levelDebug, "verbose": levelDebug, "trace": levelDebug, "all": levelDebug,
}

// logLevel reads OTEL_LOG_LEVEL; known is false if it has none of the values.
func logLevel() (l level, known bool) {
	l, known = levels[strings.ToLower(strings.TrimSpace(environ.Get(logLevelVariable)))]
	if !known {
		l = levelWarn
	}
	return l, known
}

func says(l level) bool {
	now, _ := logLevel()
	return now >= l
}

// say writes a line if the level asks for it. It does not go through os.Stderr, which ends the program where nobody reads it any more: a plain
// program would not have written anything.
func say(l level, format string, args ...any) {
	if says(l) {
		log.New(rawStderr{}, "", log.LstdFlags).Printf("otelobj: "+format, args...)
	}
}

type rawStderr struct{}

// Write implements io.Writer.
func (rawStderr) Write(p []byte) (int, error) { return syscall.Write(syscall.Stderr, p) }

func checkLogLevel() {
	if _, known := logLevel(); !known {
		report(setting(logLevelVariable), errors.New("not a level: none, error, warn, info or debug"))
	}
}

// asked reports whether the environment speaks of telemetry at all.
func asked() bool {
	for _, s := range os.Environ() {
		name, value, _ := strings.Cut(s, "=")
		if value != "" && strings.HasPrefix(name, "OTEL_") {
			return true
		}
	}
	return false
}
