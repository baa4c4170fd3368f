package reverse

import (
	"sync"

	api "otelobj.private/go.opentelemetry.io/otel/metric"
	"otelobj.private/go.opentelemetry.io/otel/metric/embedded"

	impl "go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/bridge/meters/sides"
)

// Files of this package use the API that the instruments have, api, and the one of the provider that may do the work, impl. Nothing else tells forward and
// reverse apart, so package reverse has copies of them in which the import paths are exchanged: tests/hooks/test_bridge.py makes and compares them.

type provider struct {
	embedded.MeterProvider
	of       *sides.Providers
	followed observed
}

// New returns the provider that users of the API are given.
func New(of *sides.Providers) api.MeterProvider { return &provider{of: of} }

// Is reports whether a provider is one that New has returned.
func Is(mp api.MeterProvider) bool {
	_, ok := mp.(*provider)
	return ok
}

// Meter implements MeterProvider.
func (p *provider) Meter(name string, opts ...api.MeterOption) api.Meter {
	p.of.Asked(name)
	return &meter{of: p.of, name: name, opts: opts, followed: &p.followed}
}

type meter struct {
	embedded.Meter
	of       *sides.Providers
	name     string
	opts     []api.MeterOption
	followed *observed

	mu sync.Mutex
	at works
}

// works is who does the work of a meter in a state: same, or else cross.
type works struct {
	state *sides.State
	by    any // the provider of that meter
	same  api.Meter
	cross impl.Meter
}

func (m *meter) works() works {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := m.of.Now()
	if m.at.state == state {
		return m.at
	}
	m.at = works{state: state}
	same, cross := target(state)
	if same != nil {
		m.at.by = same
		m.at.same = same.Meter(m.name, m.opts...)
		return m.at
	}
	m.at.by = cross
	config := api.NewMeterConfig(m.opts...)
	opts := []impl.MeterOption{impl.WithInstrumentationVersion(config.InstrumentationVersion()), impl.WithSchemaURL(config.SchemaURL())}
	if set := config.InstrumentationAttributes(); set.Len() > 0 {
		made := convertSet(set)
		opts = append(opts, impl.WithInstrumentationAttributes(made.ToSlice()...))
	}
	m.at.cross = cross.Meter(m.name, opts...)
	return m.at
}
