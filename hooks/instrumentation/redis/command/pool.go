package command

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// Pool is what the metrics of a client's connections say.
type Pool struct {
	Idle, Used   int64
	Max, MinIdle int64 // 0: not limited
	MaxIdle      int64 // 0: not limited
	Timeouts     int64
}

// pools are the clients that there are. read returns false when one is gone.
var pools struct {
	sync.Mutex
	once sync.Once
	list []pool
	past map[string]int64 // timeouts of those that are gone, by name: a counter never falls
}

type pool struct {
	name     string
	read     func() (Pool, bool)
	timeouts int64 // when it was last read
}

// Watch reports on the connections of a client for as long as read returns true. It must not keep the client alive.
func Watch(name string, read func() (Pool, bool)) {
	if !servers.Has("pool " + name) {
		name = methodOther
	}
	pools.Lock()
	if pools.past == nil {
		pools.past = map[string]int64{}
	}
	pools.list = append(pools.list, pool{name: sanitize.Text(name), read: read})
	if n := len(pools.list); n >= 64 && n&(n-1) == 0 { // a program that makes clients again and again need not be one that reads metrics
		current()
	}
	pools.Unlock()
	pools.once.Do(observe)
}

// current returns the pools that there are, by name, and forgets the others. The lock is held.
func current() map[string]Pool {
	sums := map[string]Pool{}
	kept := pools.list[:0]
	for _, p := range pools.list {
		s, ok := p.read()
		if !ok {
			if p.timeouts > 0 {
				pools.past[p.name] += p.timeouts
			}
			continue
		}
		p.timeouts = s.Timeouts
		kept = append(kept, p)
		sum := sums[p.name]
		sum.Idle += s.Idle
		sum.Used += s.Used
		sum.Max += s.Max
		sum.MinIdle += s.MinIdle
		sum.MaxIdle += s.MaxIdle
		sum.Timeouts += s.Timeouts
		sums[p.name] = sum
	}
	clear(pools.list[len(kept):])
	pools.list = kept
	for name, timeouts := range pools.past {
		sum := sums[name]
		sum.Timeouts += timeouts
		sums[name] = sum
	}
	return sums
}

func observe() {
	m := otel.Meter(scope, metric.WithInstrumentationVersion(version))
	upDown := func(name, description, unit string) metric.Int64ObservableUpDownCounter {
		i, err := m.Int64ObservableUpDownCounter(name, metric.WithDescription(description), metric.WithUnit(unit))
		if err != nil {
			otel.Handle(err)
		}
		return i
	}
	count := upDown("db.client.connection.count", "The number of connections that are currently in state described by the state attribute.", "{connection}")
	most := upDown("db.client.connection.max", "The maximum number of open connections allowed.", "{connection}")
	least := upDown("db.client.connection.idle.min", "The minimum number of idle open connections allowed.", "{connection}")
	mostIdle := upDown("db.client.connection.idle.max", "The maximum number of idle open connections allowed.", "{connection}")
	timeouts, err := m.Int64ObservableCounter("db.client.connection.timeouts", metric.WithUnit("{timeout}"), metric.WithDescription(
		"The number of connection timeouts that have occurred trying to obtain a connection from the pool."))
	if err != nil {
		otel.Handle(err)
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		pools.Lock()
		sums := current()
		pools.Unlock()
		for name, p := range sums {
			of := func(extra ...attribute.KeyValue) metric.MeasurementOption {
				return metric.WithAttributeSet(attribute.NewSet(append(extra, keySystem.String(redis), keyPool.String(name))...))
			}
			o.ObserveInt64(count, p.Idle, of(keyState.String("idle")))
			o.ObserveInt64(count, p.Used, of(keyState.String("used")))
			o.ObserveInt64(timeouts, p.Timeouts, of())
			if p.Max > 0 {
				o.ObserveInt64(most, p.Max, of())
			}
			if p.MinIdle > 0 {
				o.ObserveInt64(least, p.MinIdle, of())
			}
			if p.MaxIdle > 0 {
				o.ObserveInt64(mostIdle, p.MaxIdle, of())
			}
		}
		return nil
	}, count, most, least, mostIdle, timeouts)
	if err != nil {
		otel.Handle(err)
	}
}
