package sdk

import (
	"errors"

	"github.com/otelobj/otelobj/hooks/rt/lines"
)

type level = lines.Level

const (
	levelNone        = lines.None
	levelError       = lines.Error
	levelWarn        = lines.Warn
	levelInfo        = lines.Info
	levelDebug       = lines.Debug
	logLevelVariable = lines.Variable
)

func logLevel() (l level, known bool) { return lines.Now() }

func says(l level) bool { return lines.Are(l) }

func say(l level, format string, args ...any) { lines.Write(l, format, args...) }

func checkLogLevel() {
	if _, known := logLevel(); !known {
		report(setting(logLevelVariable), errors.New("not a level: none, error, warn, info or debug"))
	}
}

func asked() bool { return lines.Asked() }
