// Package slog has the hooks for log/slog: records become log records of OpenTelemetry as the official bridge, otelslog, makes them, and the standard
// library's own handlers write the IDs of the span.
//
// A logger calls its handler twice for a record: whether it is enabled, and to handle it. For the time of one call the logger is one whose handler is ours
// (recorder), around the program's, which nobody else sees. So the program's handler is asked once, as ever, and what it does not want is not
// exported. What With and WithGroup add is in the program's handler, in a form of its own, so a chain of the bridge's handlers is kept beside each logger
// (chain.go).
package slog

import "log/slog"

// HookContext is what the hooks need of a call.
type HookContext interface {
	SetParam(idx int, val any)
	SetData(data any)
	GetData() any
}

// scope is the name of the records' scope.
const scope = "log/slog"

var _ slog.Handler = (*recorder)(nil)
