// Package flush tells package sdk of providers that the program has made itself, without keeping them alive.
package flush

import (
	"weak"

	"otelobj.hooks/github.com/otelobj/otelobj/hooks/active"
)

// AtExit has a provider flushed when the program ends, if it is there still.
func AtExit[T any, P interface {
	*T
	active.Flusher
}](p P) {
	made := weak.Make((*T)(p))
	active.Made(func() active.Flusher {
		if p := made.Value(); p != nil {
			return P(p)
		}
		return nil
	})
}
