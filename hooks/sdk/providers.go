package sdk

import (
	"slices"
	"unsafe"

	"go.opentelemetry.io/otel"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/theirs"
)

// Providers that the program makes itself are flushed when it ends, and their open spans ended, as ours are. Most programs make
// one of each and set it globally; others hand theirs around.

// Flusher is a provider of any SDK.
type Flusher = theirs.Flusher

// watchForTheirs sees that a signal is waited for from the first provider of the program's own on.
func watchForTheirs() {
	if timeout() > 0 && !isTest() {
		rt.Suppress(watchSignals)
	}
}

// pipelines returns what was set up here, what the program has made, and what it has set, which may be neither.
func pipelines() []Flusher {
	all := slices.Clone(flushers)
	add := func(f Flusher) {
		if f != nil && !slices.ContainsFunc(all, func(g Flusher) bool { return sameFlusher(&f, &g) }) {
			all = append(all, f)
		}
	}
	for _, f := range theirs.Providers() {
		add(f)
	}
	add(set(otel.GetTracerProvider()))
	add(set(otel.GetMeterProvider()))
	return all
}

// set returns what the program has set: a global provider or, where that is the bridge's, the one of the program's own API.
func set(provider any) Flusher {
	if b, ok := provider.(interface{ Theirs() any }); ok {
		provider = b.Theirs()
	}
	if isMade(provider) {
		return nil
	}
	f, _ := provider.(Flusher)
	return f
}

// isMade reports whether a provider is one that was set up here, and is flushed as a pipeline.
func isMade(provider any) bool {
	return slices.ContainsFunc(flushers, func(f Flusher) bool {
		p, ok := f.(pipeline)
		return ok && any(p.Flusher) == provider
	})
}

// sameFlusher compares interface variables by their words: the dynamic type need not be comparable.
func sameFlusher(a, b *Flusher) bool {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(a)) == *(*[2]unsafe.Pointer)(unsafe.Pointer(b))
}
