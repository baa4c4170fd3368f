package main

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"
)

// numbered gives traces numbers: channels have room for a part of a trace's ID only, and at random two traces may look alike.
type numbered struct{ traces, spans atomic.Uint64 }

func (n *numbered) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id := trace.TraceID{0: 1}
	binary.BigEndian.PutUint64(id[8:], n.traces.Add(1))
	return id, n.NewSpanID(ctx, id)
}

func (n *numbered) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	var id trace.SpanID
	binary.BigEndian.PutUint64(id[:], n.spans.Add(1))
	return id
}

// Both pools start workers on demand, which end after some jobs.
const (
	workers = 8
	jobs    = 5
)

// pool has one channel for all. A job knows whether its worker was started for it.
type pool struct {
	jobs chan func(first bool)
	sem  chan struct{}
}

// newPool returns a pool that two traces have used.
func newPool() *pool {
	p := &pool{jobs: make(chan func(bool)), sem: make(chan struct{}, workers)}
	for range 2 {
		done := make(chan bool)
		go func() {
			_, s := tracer.Start(none, "warm<")
			go func() { (<-p.jobs)(false) }()
			p.jobs <- func(bool) {}
			s.End()
			close(done)
		}()
		<-done
	}
	return p
}

func (p *pool) submit(job func(first bool)) {
	select {
	case p.jobs <- job:
	case p.sem <- struct{}{}:
		go p.work(job)
	}
}

func (p *pool) work(job func(first bool)) {
	defer func() { <-p.sem }()
	job(true)
	for range jobs {
		if job = <-p.jobs; job == nil {
			return
		}
		job(false)
	}
}

// ownPool gives each worker a channel.
type ownPool struct {
	mu   sync.Mutex
	idle []*worker
}

type worker struct {
	pool *ownPool
	jobs chan func()
}

func (p *ownPool) submit(job func()) {
	p.mu.Lock()
	var w *worker
	if n := len(p.idle); n > 0 {
		w, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	p.mu.Unlock()
	if w == nil {
		w = &worker{p, make(chan func(), 1)}
		go w.work()
	}
	w.jobs <- job
}

func (w *worker) work() {
	n := 0
	for job := range w.jobs {
		job()
		if n++; n == jobs {
			return
		}
		w.pool.mu.Lock()
		w.pool.idle = append(w.pool.idle, w)
		w.pool.mu.Unlock()
	}
}

// used is what the requests of a storm share.
type used struct {
	pool *pool
	own  ownPool
}

func (u *used) close() {
	close(u.pool.jobs)
	for _, w := range u.own.idle {
		close(w.jobs)
	}
}

// inPool has a worker make a span, and waits. One that was started for it is a goroutine of this request like any other.
func inPool(u *used, id, parent string) {
	done := make(chan bool)
	u.pool.submit(func(first bool) {
		defer close(done)
		if !first {
			parent = ""
		}
		leaf(id, parent)
		_, s := tracer.Start(none, id+".h<"+parent)
		leaf(id+".l", id+".h")
		s.End()
	})
	<-done
}

// inOwnPool is inPool where it depends on what a worker has done before whether it inherits, but only ever from this request.
func inOwnPool(u *used, id string) {
	done := make(chan bool)
	u.own.submit(func() {
		defer close(done)
		leaf(id, "?")
	})
	<-done
}
