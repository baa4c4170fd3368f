// Package zap has the hooks for go.uber.org/zap: entries become log records of OpenTelemetry as the official bridge, otelzap, makes them, and the program's
// own output gets the IDs of the span.
//
// The core that a logger is made with is put into one of ours (core), which hands on everything to it and keeps the bridge's core with the same fields beside
// it. When the program's core has taken an entry, and only then, one that sends it (exporter) is added to the entry, by zap's own means.
package zap

import "sync/atomic"

// HookContext is what the hooks need of a call.
type HookContext interface {
	SetParam(idx int, val any)
	SetData(data any)
	GetData() any
}

// scope is the name of the records' scope, for loggers that have no name.
const scope = "go.uber.org/zap"

// ready says that this package is initialised. Loggers may be made before, in package variables of the program's.
var ready atomic.Bool

func init() { ready.Store(true) }
