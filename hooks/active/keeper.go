package active

import (
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// Flusher is a provider, as far as the end of the program is concerned.
type Flusher interface {
	ForceFlush(ctx context.Context) error
}

// Keeper is what package sdk does for an SDK of the program's own. Hooks that are compiled against that SDK tell it what happens there
// (hooks/bridge/own): this package is what both know.
type Keeper interface {
	// Opened and Closed say that a span began and ended: those that are open when the program ends are ended then.
	Opened(span trace.Span)
	Closed(span trace.SpanContext)
	// Made says that the program has made a provider, which is flushed when the program ends. The function returns nil if the provider is gone.
	Made(provider func() Flusher)
}

var keeper struct {
	sync.RWMutex
	Keeper
	made []func() Flusher // before there was a keeper: init functions of the program may run before ours
	open []trace.Span     // the same for spans
}

// nobody is the keeper where telemetry is off.
type nobody struct{}

func (nobody) Opened(trace.Span)        {}
func (nobody) Closed(trace.SpanContext) {}
func (nobody) Made(func() Flusher)      {}

// Keep sets the keeper, and tells it of what was made before. nil: there will be none, and nothing is remembered for it.
func Keep(k Keeper) {
	if k == nil {
		k = nobody{}
	}
	keeper.Lock()
	made, open := keeper.made, keeper.open
	keeper.Keeper, keeper.made, keeper.open = k, nil, nil
	keeper.Unlock()
	for _, span := range open {
		if span.IsRecording() {
			k.Opened(span)
		}
	}
	for _, provider := range made {
		k.Made(provider)
	}
}

func kept() Keeper {
	keeper.RLock()
	defer keeper.RUnlock()
	return keeper.Keeper
}

// Opened tells the keeper that a span began, as soon as there is one.
func Opened(span trace.Span) {
	if k := kept(); k != nil {
		k.Opened(span)
		return
	}
	keeper.Lock()
	k := keeper.Keeper
	if k == nil && len(keeper.open) < maxEarly {
		keeper.open = append(keeper.open, span)
	}
	keeper.Unlock()
	if k != nil {
		k.Opened(span)
	}
}

// maxEarly bounds how many spans are remembered that began before there was a keeper.
const maxEarly = 1000

// Closed tells the keeper that a span ended.
func Closed(span trace.SpanContext) {
	k := kept()
	if k == nil {
		if k = forget(span); k == nil {
			return
		}
	}
	k.Closed(span)
}

// forget drops a span that has ended before there was a keeper, or returns the keeper that there is by now.
func forget(span trace.SpanContext) Keeper {
	keeper.Lock()
	defer keeper.Unlock()
	if keeper.Keeper == nil {
		keeper.open = slices.DeleteFunc(keeper.open, func(open trace.Span) bool {
			sc := open.SpanContext()
			return sc.SpanID() == span.SpanID() && sc.TraceID() == span.TraceID()
		})
	}
	return keeper.Keeper
}

// Made tells the keeper of a provider, as soon as there is one.
func Made(provider func() Flusher) {
	keeper.Lock()
	k := keeper.Keeper
	if k == nil {
		keeper.made = append(keeper.made, provider)
	}
	keeper.Unlock()
	if k != nil {
		k.Made(provider)
	}
}
