package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/database"
)

// Version is the version of the instrumentation scope.
const Version = "0.1.0"

var scope = database.Scope{Name: "github.com/otelobj/otelobj/hooks/instrumentation/pgx", Version: Version, Observe: observe}

const (
	keySystem = attribute.Key("db.system.name")
	keyPool   = attribute.Key("db.client.connection.pool.name")
	keyState  = attribute.Key("db.client.connection.state")
)

// poolName tells pools apart in metrics: of the names that database.For makes there is a limited number.
type poolName struct{ system, pool string }

func nameOf(d *described) poolName { return poolName{d.Name, d.Pool} }

func (n poolName) attributes(more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append(more, keySystem.String(n.system), keyPool.String(n.pool))...))
}

// past has what closed pools have counted: poolName to *atomic.Int64. A counter never falls.
var past sync.Map

// keep adds what a pool that is being closed has counted.
func keep(d *described, s *pgxpool.Stat) {
	canceled, _ := past.LoadOrStore(nameOf(d), &atomic.Int64{})
	canceled.(*atomic.Int64).Add(s.CanceledAcquireCount())
}

var (
	observing database.Observing
	waits     atomic.Pointer[metric.Float64Histogram]
	waitOf    sync.Map // poolName to []metric.RecordOption
)

// observe makes the instruments of a meter, and lets no other one observe the pools.
func observe(mp metric.MeterProvider, m metric.Meter) {
	observing.With(mp, func() (metric.Registration, error) {
		var errs [4]error
		count, err := m.Int64ObservableUpDownCounter("db.client.connection.count", metric.WithUnit("{connection}"),
			metric.WithDescription("The number of connections that are currently in state described by the state attribute."))
		errs[0] = err
		most, err := m.Int64ObservableUpDownCounter("db.client.connection.max", metric.WithUnit("{connection}"),
			metric.WithDescription("The maximum number of open connections allowed."))
		errs[1] = err
		timeouts, err := m.Int64ObservableCounter("db.client.connection.timeouts", metric.WithUnit("{timeout}"),
			metric.WithDescription("The number of connection timeouts that have occurred trying to obtain a connection from the pool."))
		errs[2] = err
		wait, err := m.Float64Histogram("db.client.connection.wait_time", metric.WithUnit("s"),
			metric.WithDescription("The time it took to obtain an open connection from the pool."),
			metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10))
		errs[3] = err
		if err := errors.Join(errs[:]...); err != nil {
			return nil, err
		}
		waits.Store(&wait)
		return m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			for n, s := range current() {
				o.ObserveInt64(count, s.used, n.attributes(keyState.String("used")))
				o.ObserveInt64(count, s.idle, n.attributes(keyState.String("idle")))
				o.ObserveInt64(most, s.most, n.attributes())
				o.ObserveInt64(timeouts, s.canceled, n.attributes())
			}
			return nil
		}, count, most, timeouts)
	})
}

// sum is what the pools of one name have together.
type sum struct{ used, idle, most, canceled int64 }

func current() map[poolName]*sum {
	all := map[poolName]*sum{}
	of := func(n poolName) *sum {
		if all[n] == nil {
			all[n] = &sum{}
		}
		return all[n]
	}
	past.Range(func(name, canceled any) bool {
		of(name.(poolName)).canceled += canceled.(*atomic.Int64).Load()
		return true
	})
	open.Range(func(p, d any) bool {
		if d := d.(*described); !d.yields {
			sum, s := of(nameOf(d)), p.(*pgxpool.Pool).Stat()
			sum.used += int64(s.AcquiredConns())
			sum.idle += int64(s.IdleConns())
			sum.most += int64(s.MaxConns())
			sum.canceled += s.CanceledAcquireCount()
		}
		return true
	})
	return all
}

// waited records how long a caller has waited.
func waited(w *waiting, took time.Duration) {
	scope.Prepare()
	histogram := waits.Load()
	if histogram == nil {
		return
	}
	name := nameOf(w.pool)
	options, ok := waitOf.Load(name)
	if !ok {
		options, _ = waitOf.LoadOrStore(name, []metric.RecordOption{name.attributes()})
	}
	(*histogram).Record(w.ctx, took.Seconds(), options.([]metric.RecordOption)...)
}
