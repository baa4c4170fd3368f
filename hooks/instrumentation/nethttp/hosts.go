package nethttp

import (
	"sync"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// maxHosts is the number of servers that a client's metrics tell apart. A proxy or a crawler connects to servers that strangers name.
const maxHosts = 100

// hosts are the servers that came first.
var hosts hostSet

type hostSet struct {
	sync.Mutex
	n    int
	seen sync.Map // host to struct{}
}

type hostPort struct {
	host string
	port int
}

// known reports whether a server is one of the first maxHosts.
func (s *hostSet) known(host string, port int) bool {
	key := hostPort{host, port}
	if _, ok := s.seen.Load(key); ok {
		return true
	}
	s.Lock()
	defer s.Unlock()
	if _, ok := s.seen.Load(key); ok {
		return true
	}
	if len(host) > sanitize.MaxValue || s.n >= maxHosts {
		return false
	}
	s.n++
	s.seen.Store(key, struct{}{})
	return true
}
