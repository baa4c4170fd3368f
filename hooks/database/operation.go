// Package database has what hooks of database clients have in common: what a span and a metric say of an operation, of a statement, of a target and of
// an error, by the semantic conventions and without anything that is data.
package database

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt"
)

// Names of operations that are no statements.
const (
	Ping     = "PING"
	Prepare  = "PREPARE"
	Begin    = "BEGIN"
	Commit   = "COMMIT"
	Rollback = "ROLLBACK"
	Connect  = "CONNECT"
	Batch    = "BATCH"
	Copy     = "COPY"
	Acquire  = "ACQUIRE"
)

// Operation is one call of the program's, from its beginning until its span ends.
type Operation struct {
	Context context.Context // with the span
	Span    trace.Span

	scope  *Scope
	db     *Database
	call   *call
	start  time.Time
	active *rt.Scope // in which the span is the goroutine's; see Leave
	quiet  bool      // the span is another's
	over   atomic.Bool
}

// Start starts the span of an operation. name: what it does if that is not in the statement.
func (s *Scope) Start(ctx context.Context, db *Database, name, query string) *Operation {
	return s.start(ctx, db, db.call(name, query), time.Now())
}

// StartAt is Start for an operation that has begun before.
func (s *Scope) StartAt(ctx context.Context, db *Database, name string, at time.Time) *Operation {
	return s.start(ctx, db, db.call(name, ""), at)
}

// StartOn is Start for an operation on a collection that is known without a statement.
func (s *Scope) StartOn(ctx context.Context, db *Database, name, collection string) *Operation {
	return s.start(ctx, db, newCallOn(&db.Target, name, collection), time.Now())
}

func (s *Scope) start(ctx context.Context, db *Database, c *call, at time.Time) *Operation {
	outer := active.Context(ctx)
	parent := trace.SpanFromContext(outer)
	o := &Operation{scope: s, db: db, call: c, start: at}
	if active.IsExcluded(parent) {
		o.Context, o.Span, o.quiet = outer, parent, true
		return o
	}
	o.Context, o.Span = active.Start(outer, s.tracerFor(parent), c.name, trace.SpanKindClient, at, c.attributes)
	return o
}

// Enter makes the span the goroutine's own until Leave. Goroutines that start meanwhile inherit nothing: connections serve others, too.
func (o *Operation) Enter() { o.active = active.EnterAlone(o.Context, o.Span) }

// Leave ends what Enter began.
func (o *Operation) Leave() {
	o.active.Leave()
	o.active = nil
}

// Drop forgets the operation: it was none.
func (o *Operation) Drop() {
	if !o.over.Swap(true) && !o.quiet {
		active.Drop(o.Span)
	}
}

// End ends the span and records the metric, once.
func (o *Operation) End(err error) {
	if failed, ok := o.end(err); ok {
		seconds := float64(time.Since(o.start)) / float64(time.Second)
		o.scope.meters().duration.Record(o.Context, seconds, o.db.measured(o.call, failed)...)
	}
}

// EndUnmeasured is End without the metric, for an operation whose duration is not known.
func (o *Operation) EndUnmeasured(err error) { o.end(err) }

func (o *Operation) end(err error) (failed failure, ok bool) {
	if o.over.Swap(true) {
		return failed, false
	}
	if err != nil {
		failed = failureOf(err)
		if !o.quiet && o.Span.IsRecording() {
			o.Span.SetAttributes(failed.append(nil)...)
			o.Span.SetStatus(codes.Error, description(err))
		}
	}
	if !o.quiet {
		o.Span.End()
	}
	return failed, true
}

// EndUnwound ends the span of a call that a panic in the driver, or runtime.Goexit, has ended. The panic's value may hold anything, so it is left out.
func (o *Operation) EndUnwound(value any) {
	if o.over.Swap(true) || o.quiet {
		return
	}
	if value != nil {
		o.Span.SetAttributes(keyErrorType.String("panic"))
		o.Span.SetStatus(codes.Error, "panic")
	}
	o.Span.End()
}

// SetBatchSize says how many statements there are.
func (o *Operation) SetBatchSize(n int) {
	if !o.quiet && o.Span.IsRecording() {
		o.Span.SetAttributes(keyBatchSize.Int(n))
	}
}

// call is what all operations with the same statement have in common.
type call struct {
	name       string // of the span
	operation  string
	collection string
	attributes []attribute.KeyValue
}

func newCall(t *Target, name, query string) *call {
	operation, collection, text := name, "", ""
	if query != "" {
		s := statement(t, query)
		if operation == "" {
			operation = s.Operation
		}
		collection, text = s.Collection, s.Text
	}
	return makeCall(t, operation, collection, text)
}

func newCallOn(t *Target, name, collection string) *call {
	return makeCall(t, name, Part(collection), "")
}

func makeCall(t *Target, operation, collection, text string) *call {
	attrs := append(make([]attribute.KeyValue, 0, 8), t.attributes()...)
	if text != "" {
		attrs = append(attrs, keyQueryText.String(text))
	}
	if operation != "" {
		attrs = append(attrs, keyOperation.String(operation))
	}
	if collection != "" {
		attrs = append(attrs, keyCollection.String(collection))
	}
	return &call{
		name: spanName(t, operation, collection), operation: operation, collection: collection,
		attributes: attrs,
	}
}

// spanName follows the semantic conventions: "{operation} {target}", or what there is of it.
func spanName(t *Target, operation, collection string) string {
	at := collection
	if at == "" {
		at = t.Namespace
	}
	if at == "" {
		at = t.HostPort()
	}
	switch {
	case operation == "" && at == "":
		return t.Name
	case operation == "":
		return at
	case at == "":
		return operation
	}
	return operation + " " + at
}
