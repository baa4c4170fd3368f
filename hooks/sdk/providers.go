package sdk

import (
	"slices"
	"sync"
	"unsafe"

	"go.opentelemetry.io/otel"
	apitrace "go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Providers that the program makes itself are flushed when it ends, and their open spans ended, as ours are. Most programs make
// one of each and set it globally; others hand theirs around. They are not kept alive: a provider that the program forgets is gone. They are of the program's SDK,
// another copy than ours: hooks that are compiled against it (hooks/bridge/own) say what there is.

var theirs struct {
	sync.Mutex
	providers []func() flusher // of which the result may be nil
	clean     int              // how many there may be until forgotten ones are removed
}

// pipeline is one of those that were set up here. signal is its name in environment variables.
type pipeline struct {
	flusher
	signal string
}

// flushLater adds a provider of the program's, for whose sake a signal has to be waited for from now on. provider returns nil if it is gone.
func flushLater(provider func() flusher) {
	theirs.Lock()
	defer theirs.Unlock()
	if len(theirs.providers) >= theirs.clean {
		theirs.providers = slices.DeleteFunc(theirs.providers, func(p func() flusher) bool { return p() == nil })
		theirs.clean = 2*len(theirs.providers) + 8
	}
	theirs.providers = append(theirs.providers, provider)
	if timeout() > 0 && !isTest() && !environ.Disabled() { // which may be asked before start is
		rt.Suppress(watchSignals)
	}
}

// pipelines returns what was set up here, what the program has made, and what it has set, which may be neither.
func pipelines() []flusher {
	all := slices.Clone(flushers)
	add := func(f flusher) {
		if f != nil && !slices.ContainsFunc(all, func(g flusher) bool { return sameFlusher(&f, &g) }) {
			all = append(all, f)
		}
	}
	theirs.Lock()
	for _, provider := range theirs.providers {
		add(provider())
	}
	theirs.Unlock()
	for _, provider := range globals {
		add(set(provider()))
	}
	return all
}

// globals return the global providers.
var globals = []func() any{
	func() any { return otel.GetTracerProvider() },
	func() any { return otel.GetMeterProvider() },
}

// FollowGlobal adds the global provider of another signal, so that one of the program's own is flushed, too, which need not be an SDK's. It is for init functions.
func FollowGlobal(provider func() any) { globals = append(globals, provider) }

// set returns what the program has set: a global provider or, where that is the bridge's, the one of the program's own API.
func set(provider any) flusher {
	if b, ok := provider.(interface{ Theirs() any }); ok {
		provider = b.Theirs()
	}
	f, _ := provider.(flusher)
	if f == nil || slices.ContainsFunc(flushers, func(g flusher) bool { p, ok := g.(pipeline); return ok && sameFlusher(&p.flusher, &f) }) {
		return nil // a pipeline has it
	}
	return f
}

// sameFlusher compares interface variables by their words: the dynamic type need not be comparable.
func sameFlusher(a, b *flusher) bool {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(a)) == *(*[2]unsafe.Pointer)(unsafe.Pointer(b))
}

// keeper learns of an SDK of the program's own from hooks that are compiled against it.
type keeper struct{}

// Opened implements active.Keeper.
func (keeper) Opened(span apitrace.Span) {
	if s, ok := span.(tracked); ok {
		openSpans.add(openSpan{s, nil})
	}
}

// Closed implements active.Keeper.
func (keeper) Closed(span apitrace.SpanContext) { openSpans.forget(span) }

// Made implements active.Keeper.
func (keeper) Made(provider func() active.Flusher) {
	flushLater(provider)
}
