package sdk

import (
	"slices"
	"sync"
	"weak"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	apitrace "go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
)

// Providers that the program makes itself are flushed when it ends, and their open spans ended, as ours are. Most programs make
// one of each and set it globally; others hand theirs around. They are not kept alive: a provider that the program forgets is gone.

var theirs struct {
	sync.Mutex
	providers []func() flusher // of which the result may be nil
	clean     int              // how many there may be until forgotten ones are removed
}

// AfterNewTracerProvider runs when go.opentelemetry.io/otel/sdk/trace.NewTracerProvider has returned.
func AfterNewTracerProvider(_ HookContext, p *trace.TracerProvider) {
	if p == nil {
		return
	}
	p.RegisterSpanProcessor(&openSpans)
	flushToo(p)
}

// AfterNewMeterProvider runs when go.opentelemetry.io/otel/sdk/metric.NewMeterProvider has returned.
func AfterNewMeterProvider(_ HookContext, p *metric.MeterProvider) {
	if p == nil {
		return
	}
	flushToo(p)
}

// flushToo adds a provider of the program's, for whose sake a signal has to be waited for from now on.
func flushToo[T any, P interface {
	*T
	flusher
}](p P) {
	made := weak.Make((*T)(p))
	flushLater(func() flusher {
		if p := made.Value(); p != nil {
			return P(p)
		}
		return nil
	})
}

// flushLater is that, for a function that returns the provider, or nil if it is gone.
func flushLater(provider func() flusher) {
	theirs.Lock()
	defer theirs.Unlock()
	if len(theirs.providers) >= theirs.clean {
		theirs.providers = slices.DeleteFunc(theirs.providers, func(p func() flusher) bool { return p() == nil })
		theirs.clean = 2*len(theirs.providers) + 8
	}
	theirs.providers = append(theirs.providers, provider)
	if timeout() > 0 && !isTest() && !disabled() { // which may be asked before start is
		rt.Suppress(watchSignals)
	}
}

// pipelines returns what was set up here, what the program has made, and what it has set, which may be neither.
func pipelines() []flusher {
	all := slices.Clone(flushers)
	add := func(f flusher) {
		if f != nil && !slices.ContainsFunc(all, func(g flusher) bool { return sameProvider(&f, &g) }) {
			all = append(all, f)
		}
	}
	theirs.Lock()
	for _, provider := range theirs.providers {
		add(provider())
	}
	theirs.Unlock()
	if p, ok := otel.GetTracerProvider().(flusher); ok {
		add(p)
	}
	if p, ok := otel.GetMeterProvider().(flusher); ok {
		add(p)
	}
	return all
}

// keeper learns of an SDK of the program's own from hooks that are compiled against it.
type keeper struct{}

// Opened implements active.Keeper.
func (keeper) Opened(span apitrace.Span) {
	if s, ok := span.(openSpan); ok {
		openSpans.add(s)
	}
}

// Closed implements active.Keeper.
func (keeper) Closed(span apitrace.SpanContext) { openSpans.forget(span) }

// Made implements active.Keeper.
func (keeper) Made(provider func() active.Flusher) {
	flushLater(func() flusher {
		if p := provider(); p != nil {
			return p
		}
		return nil
	})
}
