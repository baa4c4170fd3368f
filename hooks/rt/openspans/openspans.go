// Package openspans is a table of spans that are open. It is bounded, since programs forget to end spans: beyond some thousand open ones, one takes
// the place of another.
package openspans

import "sync"

// EndedAtExit is the attribute, true, of spans that the program's end has cut short.
const EndedAtExit = "otelobj.ended_at_exit"

// ID is that of a span.
type ID = [8]byte

const (
	shards    = 64
	shardSize = 128
)

// Table is ready for use as it is. S is a span of one of the SDKs in the program.
type Table[S any] [shards]struct {
	mu    sync.Mutex
	spans map[ID]S
}

// Add adds a span that has started.
func (t *Table[S]) Add(id ID, span S) {
	s := &t[id[7]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spans == nil {
		s.spans = make(map[ID]S)
	}
	if len(s.spans) >= shardSize {
		for any := range s.spans {
			delete(s.spans, any)
			break
		}
	}
	s.spans[id] = span
}

// Remove removes one that has ended, or never will.
func (t *Table[S]) Remove(id ID) {
	s := &t[id[7]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.spans, id)
}

// Get returns an open span.
func (t *Table[S]) Get(id ID) (span S, ok bool) {
	s := &t[id[7]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	span, ok = s.spans[id]
	return span, ok
}

// Drain removes every span, and calls f for each.
func (t *Table[S]) Drain(f func(S)) {
	for i := range t {
		for _, span := range t.take(i) {
			f(span)
		}
	}
}

func (t *Table[S]) take(shard int) map[ID]S {
	s := &t[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	spans := s.spans
	s.spans = nil
	return spans
}
