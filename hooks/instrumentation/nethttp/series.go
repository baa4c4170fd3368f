package nethttp

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"
)

// maxSeries is how many series of a metric have options that are kept. All others get theirs each time.
const maxSeries = 1000

// kept are options of a metric, by what tells its series apart. A look-up allocates nothing, and takes no lock.
type kept[K comparable, O any] struct {
	options atomic.Pointer[map[K]O]
	adding  sync.Mutex
}

// of returns the options of a series. make makes them, and the key once more, without strings that are parts of longer ones.
func (k *kept[K, O]) of(key K, make func() (K, O)) O {
	known := k.options.Load()
	if known != nil {
		if o, ok := (*known)[key]; ok {
			return o
		}
	}
	own, o := make()
	if known == nil || len(*known) < maxSeries {
		k.add(own, o)
	}
	return o
}

func (k *kept[K, O]) add(key K, o O) {
	k.adding.Lock()
	defer k.adding.Unlock()
	all := map[K]O{}
	if known := k.options.Load(); known != nil {
		all = maps.Clone(*known)
	}
	all[key] = o
	k.options.Store(&all)
}

// What tells the series apart. Methods and schemes are constants.
type (
	activeKey struct {
		method string
		https  bool
	}
	serverSeries struct {
		activeKey
		protocol
		route  string
		status int
	}
	clientSeries struct {
		method, scheme string
		protocol
		host    string
		port    int
		failure string
		status  int
	}
	protocol struct{ name, version string }
)

// routeKey tells names of spans apart.
type routeKey struct{ method, route string }

var (
	names         kept[routeKey, string]
	activeOptions kept[activeKey, []metric.AddOption]
	serverOptions kept[serverSeries, []metric.RecordOption]
	clientOptions kept[clientSeries, []metric.RecordOption]
)

// options returns the attributes that the semantic conventions want of active requests. Address and port of the server are left out, as they advise: they come from
// the client's Host header.
func (key activeKey) options() []metric.AddOption {
	return activeOptions.of(key, func() (activeKey, []metric.AddOption) {
		a := getAttrs()
		a.str(keyRequestMethod, key.method)
		a.str(keyURLScheme, scheme(key.https))
		return key, []metric.AddOption{metric.WithAttributeSet(a.set())}
	})
}

// answer adds how a request was answered, with a status that is not 0.
func (a *attrs) answer(p protocol, status int) {
	a.network(p)
	if status > 0 {
		a.num(keyResponseStatusCode, status)
	}
}

func (key routeKey) name() string {
	return names.of(key, func() (routeKey, string) {
		key.route = strings.Clone(key.route)
		return key, key.method + " " + key.route
	})
}

// protocolOf returns what metrics say of a protocol. Of one that is not known it is the name: the peer could send any of a hundred versions.
func protocolOf(proto string) protocol {
	name, version := netProtocol(proto)
	if protocols[proto] == "" {
		version = ""
	}
	return protocol{name, version}
}

func (p protocol) clone() protocol { return protocol{strings.Clone(p.name), strings.Clone(p.version)} }

func (key serverSeries) options() []metric.RecordOption {
	return serverOptions.of(key, func() (serverSeries, []metric.RecordOption) {
		key.protocol, key.route = key.protocol.clone(), strings.Clone(key.route)
		a := getAttrs()
		a.str(keyRequestMethod, key.method)
		a.str(keyURLScheme, scheme(key.https))
		a.answer(key.protocol, key.status)
		if key.route != "" {
			a.str(keyRoute, key.route)
		}
		return key, []metric.RecordOption{metric.WithAttributeSet(a.set())}
	})
}

func (key clientSeries) options() []metric.RecordOption {
	return clientOptions.of(key, func() (clientSeries, []metric.RecordOption) {
		key.protocol, key.host, key.failure = key.protocol.clone(), strings.Clone(key.host), strings.Clone(key.failure)
		a := getAttrs()
		a.str(keyRequestMethod, key.method)
		a.server(key.host, key.port, key.scheme == "https")
		a.str(keyURLScheme, key.scheme)
		a.answer(key.protocol, key.status)
		if key.failure != "" {
			a.str(keyErrorType, key.failure)
		}
		return key, []metric.RecordOption{metric.WithAttributeSet(a.set())}
	})
}
