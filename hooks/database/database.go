package database

import (
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/rt/sanitize/sqltext"
)

// Database is what operations on the same target have in common.
type Database struct {
	Target
	Pool string // db.client.connection.pool.name

	calls sync.Map // name of an operation that is no statement, to *call; there are few
	// Statements that are run, and those that are prepared.
	run, prepared sqltext.Cache[call]

	series   atomic.Int32
	measures sync.Map // measureKey to []metric.RecordOption
}

// maxTargets is the number of targets that metrics tell apart.
const maxTargets = 100

var targets = struct {
	sync.Mutex
	known map[Target]*Database
}{known: map[Target]*Database{}}

// For returns the one description of a target, or a new one where there are too many.
func For(t Target) *Database {
	targets.Lock()
	defer targets.Unlock()
	if d, ok := targets.known[t]; ok {
		return d
	}
	d := &Database{Target: t, Pool: other}
	if len(targets.known) < maxTargets {
		d.Pool = t.poolName()
		targets.known[t] = d
	}
	return d
}

// call returns what calls of this kind have in common.
func (d *Database) call(name, query string) *call {
	switch {
	case name == "":
		return d.run.Get(query, func(query string) *call { return newCall(&d.Target, "", query) })
	case query != "":
		return d.prepared.Get(query, func(query string) *call { return newCall(&d.Target, name, query) })
	}
	c, ok := d.calls.Load(name)
	if !ok {
		c, _ = d.calls.LoadOrStore(name, newCall(&d.Target, name, ""))
	}
	return c.(*call)
}

// measureKey tells series of a database apart.
type measureKey struct {
	operation, collection string
	failure
}

// maxSeries is the number of series of a database: tables can be named by clients, and servers name errors.
const maxSeries = 200

// measured returns the attributes of a metric.
func (d *Database) measured(c *call, failed failure) []metric.RecordOption {
	key := measureKey{c.operation, c.collection, failed}
	if v, ok := d.measures.Load(key); ok {
		return v.([]metric.RecordOption)
	}
	if d.series.Load() >= maxSeries {
		key = measureKey{operation: other}
		if failed.kind != "" {
			key.kind = other
		}
	}
	attrs := []attribute.KeyValue{keySystem.String(d.Name)}
	if d.Pool != other {
		attrs = d.attributes()
	}
	if key.operation != "" {
		attrs = append(attrs, keyOperation.String(key.operation))
	}
	if key.collection != "" {
		attrs = append(attrs, keyCollection.String(key.collection))
	}
	attrs = key.append(attrs)
	v, there := d.measures.LoadOrStore(key, []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrs...))})
	if !there {
		d.series.Add(1)
	}
	return v.([]metric.RecordOption)
}
