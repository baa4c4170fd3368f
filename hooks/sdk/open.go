package sdk

import (
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	apitrace "go.opentelemetry.io/otel/trace"
)

// keyEndedAtExit marks spans that the program's end has cut short.
const keyEndedAtExit = attribute.Key("otelobj.ended_at_exit")

const (
	shards    = 64
	shardSize = 128
)

// spanTable knows the spans that are open, so that they can be ended when the program ends. ownSpans fills it with those of our
// provider. It is bounded, since programs forget to end spans: beyond some thousand open ones, one takes the place of another.
type spanTable [shards]struct {
	mu    sync.Mutex
	spans map[apitrace.SpanID]openSpan
}

var openSpans spanTable

// openSpan is a span and, if its provider is ours, what exports a copy of it.
type openSpan struct {
	tracked
	copies copier
}

// copier exports a span that stays open as if it had ended.
type copier interface {
	exportCopy(span tracked, end time.Time)
}

// tracked is what is needed of a span: the SDK's have it, and what the bridge makes of the program's.
type tracked interface {
	apitrace.Span
	Parent() apitrace.SpanContext
}

func (t *spanTable) add(span openSpan) {
	id := span.SpanContext().SpanID()
	s := &t[id[7]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spans == nil {
		s.spans = make(map[apitrace.SpanID]openSpan)
	}
	if len(s.spans) >= shardSize {
		for any := range s.spans {
			delete(s.spans, any)
			break
		}
	}
	s.spans[id] = span
}

func (t *spanTable) forget(span apitrace.SpanContext) {
	id := span.SpanID()
	s := &t[id[7]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.spans, id)
}

// parent returns the parent of an open span.
func (t *spanTable) parent(id apitrace.SpanID) (parent apitrace.SpanID, ok bool) {
	s := &t[id[7]%shards]
	s.mu.Lock()
	span, ok := s.spans[id]
	s.mu.Unlock()
	if !ok {
		return parent, false
	}
	return span.Parent().SpanID(), true
}

// end ends all open spans. The goroutines that they belong to may still be at work; what they add now is lost.
func (t *spanTable) end() {
	for i := range t {
		for _, span := range t.take(i) {
			span.endNow()
		}
	}
}

func (s openSpan) endNow() {
	s.SetAttributes(keyEndedAtExit.Bool(true))
	s.End()
}

func (t *spanTable) take(shard int) map[apitrace.SpanID]openSpan {
	s := &t[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	spans := s.spans
	s.spans = nil
	return spans
}

// copy exports open spans as end would have ended them, and leaves them open. The program's own processors can only be given a span by ending
// it: those spans are ended.
func (t *spanTable) copy() {
	now := time.Now()
	for i := range t {
		s := &t[i]
		s.mu.Lock()
		spans := slices.Collect(maps.Values(s.spans))
		s.mu.Unlock()
		for _, span := range spans {
			if !span.IsRecording() {
				continue // it has ended meanwhile, and is on its way
			}
			if span.copies == nil {
				span.endNow()
				continue
			}
			span.copies.exportCopy(span.tracked, now)
		}
	}
}
