package sanitize

import (
	"strings"
	"sync"
)

// First is a bounded set of the texts that came first: what metrics may tell apart where strangers can name things.
type First struct {
	limit int
	mu    sync.Mutex
	n     int
	seen  sync.Map // string to struct{}
}

// NewFirst returns an empty set of at most limit texts.
func NewFirst(limit int) *First { return &First{limit: limit} }

// Has reports whether a text is in the set. One that is not is taken in if there is room for it.
func (f *First) Has(text string) bool {
	if _, ok := f.seen.Load(text); ok {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.seen.Load(text); ok {
		return true
	}
	if f.n >= f.limit || len(text) > MaxValue {
		return false
	}
	f.n++
	f.seen.Store(strings.Clone(text), struct{}{})
	return true
}
