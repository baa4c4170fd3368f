// Package theirs knows what the program has of OpenTelemetry's SDK itself: its providers, which are flushed when it ends, and their open spans, which
// are ended then. Its SDK is another copy than ours, so hooks that are compiled against it (hooks/bridge/own) say what there is, and hooks/sdk asks.
//
// It needs no initialisation: providers of package variables are made before ours.
package theirs

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// Flusher is a provider of any SDK.
type Flusher interface {
	ForceFlush(ctx context.Context) error
}

// OpenSpans are those of one SDK.
type OpenSpans interface {
	End() // ends them all
	Parent(span [8]byte) (parent [8]byte, ok bool)
	Forget(span [8]byte)
}

var (
	mu        sync.Mutex
	providers []func() Flusher // of which the result may be nil
	clean     int              // how many there may be until forgotten ones are removed
	whenAdded func()
	open      atomic.Pointer[[]OpenSpans]
)

// AddProvider adds a provider that the program has made. It is not kept alive: provider returns nil when it is gone.
func AddProvider(provider func() Flusher) {
	mu.Lock()
	if len(providers) >= clean {
		providers = slices.DeleteFunc(providers, func(p func() Flusher) bool { return p() == nil })
		clean = 2*len(providers) + 8
	}
	providers = append(providers, provider)
	f := whenAdded
	mu.Unlock()
	if f != nil {
		f()
	}
}

// WhenAdded sets what is called whenever a provider was added; at once, if one was before.
func WhenAdded(f func()) {
	mu.Lock()
	whenAdded = f
	late := len(providers) > 0
	mu.Unlock()
	if late {
		f()
	}
}

// Providers returns those that are alive.
func Providers() []Flusher {
	mu.Lock()
	defer mu.Unlock()
	var alive []Flusher
	for _, provider := range providers {
		if p := provider(); p != nil {
			alive = append(alive, p)
		}
	}
	return alive
}

// AddOpenSpans adds the open spans of an SDK, once.
func AddOpenSpans(o OpenSpans) {
	mu.Lock()
	defer mu.Unlock()
	if all := Open(); !slices.Contains(all, o) {
		all = append(slices.Clone(all), o)
		open.Store(&all)
	}
}

// Open returns what AddOpenSpans was given.
func Open() []OpenSpans {
	if all := open.Load(); all != nil {
		return *all
	}
	return nil
}
