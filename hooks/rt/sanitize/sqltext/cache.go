package sqltext

import (
	"strings"
	"sync"
	"sync/atomic"
)

// Cache remembers what was made of statements: programs send the same ones again and again. It keeps two generations, each of at most maxEntries
// statements; a statement that is asked for moves from the older to the younger one. What a program makes up anew each time, with literals in it, drives
// out others, and costs no more memory than that. The zero value is ready for use.
type Cache[V any] struct {
	young, old atomic.Pointer[generation]
}

const (
	maxEntries = 256
	// maxKey is the length of the longest statement that is remembered: both generations together keep no more than a MB of them.
	maxKey = 2048
)

type generation struct {
	n       atomic.Int32
	entries sync.Map // string to *V
}

// Get returns what compute makes of a statement. The result is shared and not to be changed. A statement that compute gets may be kept.
func (c *Cache[V]) Get(query string, compute func(query string) *V) *V {
	if len(query) > maxKey {
		return compute(strings.Clone(query))
	}
	if g := c.young.Load(); g != nil {
		if v, ok := g.entries.Load(query); ok {
			return v.(*V)
		}
	}
	query = strings.Clone(query) // a hook keeps no argument
	if g := c.old.Load(); g != nil {
		if v, ok := g.entries.Load(query); ok {
			c.add(query, v.(*V))
			return v.(*V)
		}
	}
	v := compute(query)
	c.add(query, v)
	return v
}

func (c *Cache[V]) add(query string, v *V) {
	g := c.young.Load()
	if g == nil || g.n.Load() >= maxEntries {
		next := &generation{}
		if c.young.CompareAndSwap(g, next) && g != nil {
			c.old.Store(g)
		}
		g = c.young.Load()
	}
	if _, there := g.entries.LoadOrStore(query, v); !there {
		g.n.Add(1)
	}
}
