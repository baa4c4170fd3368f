package sdk

import (
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// Each set of attributes is a time series that the SDK keeps for as long as the program runs. What an instrument may have is bounded here, in
// the same way as by newer SDKs: what does not fit goes into one more series, which says so.

// maxSeries is the number of time series of an instrument, the one of the overflow included (metrics SDK specification, cardinality limits).
const maxSeries = 2000

var overflow = attribute.NewSet(attribute.Bool("otel.metric.overflow", true))

// cardinality knows the series of one instrument.
type cardinality struct {
	sync.Mutex
	n    int
	seen sync.Map // attribute.Distinct to struct{}
}

// bound returns the set, or that of the overflow.
func (c *cardinality) bound(set attribute.Set) attribute.Set {
	key := set.Equivalent()
	if _, ok := c.seen.Load(key); ok {
		return set
	}
	c.Lock() // so that a set which is new to several goroutines at once is one thing for all of them
	defer c.Unlock()
	if _, ok := c.seen.Load(key); ok {
		return set
	}
	if c.n >= maxSeries-1 {
		return overflow
	}
	c.n++
	c.seen.Store(key, struct{}{})
	return set
}

// limitsSeries reports whether series are bounded here: unless the SDK's own variable says how many there may be.
func limitsSeries() bool {
	n, err := strconv.Atoi(strings.TrimSpace(environ.Get("OTEL_GO_X_CARDINALITY_LIMIT")))
	return err != nil || n <= 0
}
