//go:build !otelobj_program

package sdk

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Each set of attributes is a time series that the SDK keeps for as long as the program runs. What an instrument may have is bounded here, in
// the same way as by newer SDKs, so that it holds with every release: what does not fit goes into one more series, which says so.

// maxSeries is the number of time series of an instrument, the one of the overflow included (metrics SDK specification, cardinality limits).
const maxSeries = 2000

var overflow = attribute.NewSet(attribute.Bool("otel.metric.overflow", true))

// cardinality knows the series of one instrument.
type cardinality struct {
	limit int
	sync.Mutex
	n    int
	seen sync.Map // attribute.Distinct to struct{}
}

// fits reports whether there is room for the series of these attributes.
func (c *cardinality) fits(set attribute.Set) bool {
	key := set.Equivalent()
	if _, ok := c.seen.Load(key); ok {
		return true
	}
	c.Lock() // so that a set which is new to several goroutines at once is one thing for all of them
	defer c.Unlock()
	if _, ok := c.seen.Load(key); ok {
		return true
	}
	if c.n >= c.limit-1 {
		return false
	}
	c.n++
	c.seen.Store(key, struct{}{})
	return true
}

// fitting returns the options of a measurement that has these attributes, or those of the overflow. Nearly always they are those that were given.
func fitting[O any](c *cardinality, opts []O, set attribute.Set) []O {
	if !c.fits(set) {
		set = overflow
	} else if !slices.ContainsFunc(opts, isRaw) {
		return opts
	}
	return []O{any(metric.WithAttributeSet(set)).(O)}
}

// isRaw reports whether an option has attributes that no configuration shows, as newer APIs have them for a trial.
func isRaw[O any](o O) bool {
	_, raw := any(o).(interface{ RawAttributes() []attribute.KeyValue })
	return raw
}

// forget makes room for as many series as at first.
func (c *cardinality) forget() {
	c.Lock()
	defer c.Unlock()
	c.seen.Clear()
	c.n = 0
}

// seriesLimit is the limit of the SDK's own variable if that has one.
func seriesLimit() int {
	if n, err := strconv.Atoi(strings.TrimSpace(environ.Get("OTEL_GO_X_CARDINALITY_LIMIT"))); err == nil && n > 0 {
		return n
	}
	return maxSeries
}

// instrumentKey is what the SDK knows an instrument by: a program that asks for one again gets the same series.
type instrumentKey struct {
	scope, version, schema string
	attributes             attribute.Distinct
	kind                   reflect.Type
	name                   string
}

// boundsOf returns what bounds an instrument of a meter.
func boundsOf[I, B any](m *meter, name string, create func() *B) *B {
	c := metric.NewMeterConfig(m.opts...)
	attrs := c.InstrumentationAttributes()
	key := instrumentKey{m.name, c.InstrumentationVersion(), c.SchemaURL(), attrs.Equivalent(), reflect.TypeFor[I](), strings.ToLower(name)}
	if known, ok := m.home.bounds.Load(key); ok {
		return known.(*B)
	}
	made, _ := m.home.bounds.LoadOrStore(key, create())
	return made.(*B)
}
