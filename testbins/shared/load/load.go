// Package load does the same from many goroutines at a time, each time below a span of its own, and says how many spans were left open or had a wrong parent.
package load

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	goroutines = 64
	scope      = "load"
)

// Start sets a provider that checks spans. right reports whether a span that is, or is not, right below an operation's should be; nil: all should.
func Start(right func(s sdktrace.ReadOnlySpan, below bool) bool) *Checker {
	c := &Checker{right: right}
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(c)))
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return c
}

// Operations reads a number of operations: an argument of the program.
func Operations(argument int) int {
	n, err := strconv.Atoi(os.Args[argument])
	if err != nil {
		panic(err)
	}
	return n
}

// Checker is a span processor: it knows which span must be below which.
type Checker struct {
	// Uncounted, if not nil, reports whether a span is one of which there may be any number.
	Uncounted func(sdktrace.ReadOnlySpan) bool

	right              func(sdktrace.ReadOnlySpan, bool) bool
	roots              sync.Map // trace.TraceID to trace.SpanID
	open, ended, wrong atomic.Int64
	failed             atomic.Int64
	first              sync.Once
	firstError         error
}

// Run runs as many operations in each goroutine. An error is one that the plain program does not have.
func (c *Checker) Run(operations int, do func(ctx context.Context, goroutine, i int) error) {
	tracer := otel.Tracer(scope)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range operations {
				ctx, span := tracer.Start(context.Background(), "operation")
				if err := do(ctx, g, i); err != nil {
					c.failed.Add(1)
					c.first.Do(func() { c.firstError = err })
				}
				span.End()
			}
		}()
	}
	wg.Wait()
}

// Say prints what was found. By now everything is closed that makes spans.
func (c *Checker) Say() {
	if c.firstError != nil {
		fmt.Fprintln(os.Stderr, "first error:", c.firstError)
	}
	fmt.Println("failed", c.failed.Load(), "open", c.open.Load(), "wrong", c.wrong.Load(), "ended", c.ended.Load())
}

// OnStart implements sdktrace.SpanProcessor.
func (c *Checker) OnStart(_ context.Context, s sdktrace.ReadWriteSpan) {
	c.open.Add(1)
	if s.InstrumentationScope().Name == scope {
		c.roots.Store(s.SpanContext().TraceID(), s.SpanContext().SpanID())
	}
}

// OnEnd implements sdktrace.SpanProcessor.
func (c *Checker) OnEnd(s sdktrace.ReadOnlySpan) {
	c.open.Add(-1)
	if c.Uncounted == nil || !c.Uncounted(s) {
		c.ended.Add(1)
	}
	if s.InstrumentationScope().Name == scope {
		return
	}
	root, known := c.roots.Load(s.SpanContext().TraceID())
	below := known && root.(trace.SpanID) == s.Parent().SpanID()
	if !known || c.right == nil && !below || c.right != nil && !c.right(s, below) {
		c.wrong.Add(1)
	}
}

// Shutdown implements sdktrace.SpanProcessor.
func (*Checker) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (*Checker) ForceFlush(context.Context) error { return nil }
