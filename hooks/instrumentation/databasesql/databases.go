package databasesql

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/database"
)

// described is what the hooks know of a database.
type described struct {
	*database.Database
	yields   bool // the program traces it itself
	observed bool // the program has the totals of its pool as metrics itself
}

// Databases that are open, by *sql.DB. database/sql has a goroutine for each until it is closed, so that this map keeps nothing in memory that would not be.
var open sync.Map

// past has the totals of pools that were closed: *totals by poolName, of which database.For makes a limited number.
var past sync.Map

type totals struct {
	sync.Mutex
	sql.DBStats
}

// register remembers what is known of a database that was opened.
func register(db *sql.DB, t database.Target) {
	d := describe(db, t)
	open.Store(db, d)
	if !d.yields {
		scope.Prepare()
	}
}

func describe(db *sql.DB, t database.Target) described {
	yields := inspect(connectorOf(db), &t)
	return described{Database: database.For(t), yields: yields}
}

// forget is for a database that is being closed. Its totals are kept: they are parts of counters, which never fall.
func forget(db *sql.DB) {
	v, ok := open.LoadAndDelete(db)
	if d, _ := v.(described); ok && !d.yields && !d.observed {
		var sum sql.DBStats
		s := db.Stats()
		if addTotals(&sum, &s); sum == (sql.DBStats{}) {
			return // otelsql opens a database only to ask for its driver
		}
		keepTotals(d, &s)
	}
}

func keepTotals(d described, s *sql.DBStats) {
	all, _ := past.LoadOrStore(nameOf(d), &totals{})
	t := all.(*totals)
	t.Lock()
	defer t.Unlock()
	addTotals(&t.DBStats, s)
}

// BeforeRegisterStats runs before otelsql.RegisterDBStatsMetrics(db, opts...), from which on the program has the totals as metrics of the same names. Those until
// now are kept, as of a pool that is closed.
func BeforeRegisterStats(_ HookContext, db *sql.DB, _ any) {
	v, ok := open.Load(db)
	if !ok {
		return
	}
	d := v.(described)
	s := db.Stats()
	if was := d.observed || d.yields; !was {
		d.observed = true
		if open.CompareAndSwap(db, v, d) {
			keepTotals(d, &s)
		}
	}
}

// addTotals adds what only grows.
func addTotals(sum, s *sql.DBStats) {
	sum.WaitCount += s.WaitCount
	sum.WaitDuration += s.WaitDuration
	sum.MaxIdleClosed += s.MaxIdleClosed
	sum.MaxIdleTimeClosed += s.MaxIdleTimeClosed
	sum.MaxLifetimeClosed += s.MaxLifetimeClosed
}

// find returns what is known of a database. One that was closed, or opened while the hooks were off, is looked at again.
func find(db *sql.DB) described {
	if d, ok := open.Load(db); ok {
		return d.(described)
	}
	return describe(db, database.Target{})
}

const (
	keySystem = attribute.Key("db.system.name")
	keyPool   = attribute.Key("db.client.connection.pool.name")
	keyState  = attribute.Key("db.client.connection.state")
)

// poolName tells pools apart in metrics.
type poolName struct{ system, pool string }

func nameOf(d described) poolName { return poolName{d.Name, d.Pool} }

// pools observes the pools of all open databases.
var pools database.Observing

type poolInstruments struct {
	count                           metric.Int64ObservableUpDownCounter
	limit                           metric.Int64ObservableUpDownCounter
	waits, idle, idleTime, lifetime metric.Int64ObservableCounter
	waited                          metric.Float64ObservableCounter
}

// observePools lets a meter observe the pools, and no other one.
func observePools(mp metric.MeterProvider, m metric.Meter) {
	pools.With(mp, func() (metric.Registration, error) {
		var in poolInstruments
		var errs [7]error
		in.count, errs[0] = m.Int64ObservableUpDownCounter("db.client.connection.count", metric.WithUnit("{connection}"),
			metric.WithDescription("The number of connections that are currently in state described by the state attribute."))
		in.limit, errs[1] = m.Int64ObservableUpDownCounter("db.client.connection.max", metric.WithUnit("{connection}"),
			metric.WithDescription("The maximum number of open connections allowed."))
		in.waits, errs[2] = m.Int64ObservableCounter("db.sql.connection.wait", metric.WithDescription("The total number of connections waited for"))
		in.waited, errs[3] = m.Float64ObservableCounter("db.sql.connection.wait_duration", metric.WithUnit("ms"),
			metric.WithDescription("The total time blocked waiting for a new connection"))
		in.idle, errs[4] = m.Int64ObservableCounter("db.sql.connection.closed_max_idle",
			metric.WithDescription("The total number of connections closed due to SetMaxIdleConns"))
		in.idleTime, errs[5] = m.Int64ObservableCounter("db.sql.connection.closed_max_idle_time",
			metric.WithDescription("The total number of connections closed due to SetConnMaxIdleTime"))
		in.lifetime, errs[6] = m.Int64ObservableCounter("db.sql.connection.closed_max_lifetime",
			metric.WithDescription("The total number of connections closed due to SetConnMaxLifetime"))
		if err := errors.Join(errs[:]...); err != nil {
			return nil, err
		}
		return m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			in.observe(o)
			return nil
		}, in.count, in.limit, in.waits, in.waited, in.idle, in.idleTime, in.lifetime)
	})
}

// observe reports the pools, those of one target together.
func (in *poolInstruments) observe(o metric.Observer) {
	all := map[poolName]*sql.DBStats{}
	of := func(n poolName) *sql.DBStats {
		if all[n] == nil {
			all[n] = &sql.DBStats{}
		}
		return all[n]
	}
	past.Range(func(key, value any) bool {
		t := value.(*totals)
		t.Lock()
		defer t.Unlock()
		addTotals(of(key.(poolName)), &t.DBStats)
		return true
	})
	open.Range(func(key, value any) bool {
		if d := value.(described); !d.yields {
			sum, s := of(nameOf(d)), key.(*sql.DB).Stats()
			sum.InUse += s.InUse
			sum.Idle += s.Idle
			sum.MaxOpenConnections += s.MaxOpenConnections
			if !d.observed {
				addTotals(sum, &s)
			}
		}
		return true
	})
	for n, s := range all {
		attrs := []attribute.KeyValue{keySystem.String(n.system), keyPool.String(n.pool)}
		with := metric.WithAttributes(attrs...)
		o.ObserveInt64(in.count, int64(s.InUse), metric.WithAttributes(append(attrs[:2:2], keyState.String("used"))...))
		o.ObserveInt64(in.count, int64(s.Idle), metric.WithAttributes(append(attrs[:2:2], keyState.String("idle"))...))
		if s.MaxOpenConnections > 0 {
			o.ObserveInt64(in.limit, int64(s.MaxOpenConnections), with)
		}
		o.ObserveInt64(in.waits, s.WaitCount, with)
		o.ObserveFloat64(in.waited, float64(s.WaitDuration)/float64(time.Millisecond), with)
		o.ObserveInt64(in.idle, s.MaxIdleClosed, with)
		o.ObserveInt64(in.idleTime, s.MaxIdleTimeClosed, with)
		o.ObserveInt64(in.lifetime, s.MaxLifetimeClosed, with)
	}
}
