package spans

import (
	"sync"
	"unsafe"
)

// Instrumentations look a tracer up with each request, often by the provider of a span. An SDK keeps its tracers, so what stands for them is kept, too.

// maxKept bounds how much is kept: more than programs have scopes, or providers. What does not fit is made each time.
const maxKept = 1000

// scope is what tells tracers of a provider apart.
type scope struct {
	name, version, schema string
	attributes            any // an attribute.Distinct of either API; nil: none
}

// kept has what is made for a key.
type kept[K comparable, V any] struct {
	mu    sync.RWMutex
	made  map[K]V
	bound int // 0: maxKept
}

func (k *kept[K, V]) of(key K, make func() V) V {
	k.mu.RLock()
	found, ok := k.made[key]
	k.mu.RUnlock()
	if ok {
		return found
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if found, ok := k.made[key]; ok {
		return found
	}
	made := make()
	bound := k.bound
	if bound == 0 {
		bound = maxKept
	}
	if len(k.made) < bound {
		if k.made == nil {
			k.made = map[K]V{}
		}
		k.made[key] = made
	}
	return made
}

// words identify an interface value: providers need not be comparable.
type words [2]unsafe.Pointer
