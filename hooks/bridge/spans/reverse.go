package spans

import (
	"context"
	"reflect"
	"sync/atomic"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	privatecodes "otelobj.private/go.opentelemetry.io/otel/codes"
	private "otelobj.private/go.opentelemetry.io/otel/trace"
	"otelobj.private/go.opentelemetry.io/otel/trace/embedded"
	"otelobj.private/go.opentelemetry.io/otel/trace/noop"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
)

// standIn is a span of the private API that stands for one of the program's. It is a value, so that two of the same span are equal.
type standIn struct {
	embedded.Span
	theirs trace.Span
}

// End implements trace.Span, and like view.End lets the program's span see a panic.
func (s standIn) End(opts ...private.SpanEndOption) {
	if r := recover(); r != nil {
		defer s.theirs.End(programEndOptions(opts)...)
		panic(r)
	}
	s.theirs.End(programEndOptions(opts)...)
}

func programEndOptions(opts []private.SpanEndOption) []trace.SpanEndOption {
	if len(opts) == 0 {
		return nil
	}
	config := private.NewSpanEndConfig(opts...)
	var made []trace.SpanEndOption
	if t := config.Timestamp(); !t.IsZero() {
		made = append(made, trace.WithTimestamp(t))
	}
	if config.StackTrace() {
		made = append(made, trace.WithStackTrace(true))
	}
	return made
}

// AddEvent implements trace.Span.
func (s standIn) AddEvent(name string, opts ...private.EventOption) {
	s.theirs.AddEvent(name, programEventOptions(opts)...)
}

func programEventOptions(opts []private.EventOption) []trace.EventOption {
	if len(opts) == 0 {
		return nil
	}
	config := private.NewEventConfig(opts...)
	made := []trace.EventOption{trace.WithTimestamp(config.Timestamp())}
	if kvs := config.Attributes(); len(kvs) > 0 {
		made = append(made, trace.WithAttributes(attrs.Program(kvs)...))
	}
	if config.StackTrace() {
		made = append(made, trace.WithStackTrace(true))
	}
	return made
}

// AddLink implements trace.Span. The program's spans can do it from 1.25 on.
func (s standIn) AddLink(link private.Link) {
	if l, ok := s.theirs.(interface{ AddLink(trace.Link) }); ok {
		l.AddLink(programLink(link))
	}
}

// IsRecording implements trace.Span.
func (s standIn) IsRecording() bool { return s.theirs.IsRecording() }

// RecordError implements trace.Span.
func (s standIn) RecordError(err error, opts ...private.EventOption) {
	s.theirs.RecordError(err, programEventOptions(opts)...)
}

// SpanContext implements trace.Span.
func (s standIn) SpanContext() private.SpanContext { return PrivateContext(s.theirs.SpanContext()) }

// SetStatus implements trace.Span.
func (s standIn) SetStatus(code privatecodes.Code, description string) {
	s.theirs.SetStatus(codes.Code(code), description)
}

// SetName implements trace.Span.
func (s standIn) SetName(name string) { s.theirs.SetName(name) }

// SetAttributes implements trace.Span.
func (s standIn) SetAttributes(kvs ...privateattr.KeyValue) {
	s.theirs.SetAttributes(attrs.Program(kvs)...)
}

// TracerProvider implements trace.Span.
func (s standIn) TracerProvider() private.TracerProvider {
	theirs := s.theirs.TracerProvider()
	if p, ok := theirs.(*forwardProvider); ok {
		return p.providers.Reverse()
	}
	if reflect.TypeOf(theirs) == nowhere { // there are only the IDs of a span
		return private.SpanFromContext(nil).TracerProvider() //nolint:staticcheck // nil is allowed
	}
	return fixedTheirs(theirs).Reverse()
}

// nowhere is the type of providers of the program's spans that are nothing but IDs in a context.
var nowhere = reflect.TypeOf(trace.SpanFromContext(context.Background()).TracerProvider())

// Parent is what spans of an SDK have: hooks/active asks for it. It is invalid if the program's span does not tell.
func (s standIn) Parent() private.SpanContext {
	if p, ok := s.theirs.(interface{ Parent() trace.SpanContext }); ok {
		return PrivateContext(p.Parent())
	}
	return private.SpanContext{}
}

type reverseProvider struct {
	embedded.TracerProvider
	providers *Providers
}

// Tracer implements trace.TracerProvider.
func (p *reverseProvider) Tracer(name string, opts ...private.TracerOption) private.Tracer {
	key := scope{name: name}
	if len(opts) > 0 {
		config := private.NewTracerConfig(opts...)
		key.version, key.schema = config.InstrumentationVersion(), config.SchemaURL()
		if set := config.InstrumentationAttributes(); set.Len() > 0 {
			key.attributes = set.Equivalent()
		}
	}
	return p.providers.reverse.of(key, func() *reverseTracer { return &reverseTracer{providers: p.providers, name: name, opts: opts} })
}

// Theirs returns the provider of the program's that does the work, nil if there is none. The flush asks for it.
func (p *reverseProvider) Theirs() any {
	if theirs := p.providers.Now().Theirs; theirs != nil {
		return theirs
	}
	return nil
}

// reverseTracer is a tracer of the private API.
type reverseTracer struct {
	embedded.Tracer
	providers *Providers
	name      string
	opts      []private.TracerOption
	last      atomic.Pointer[reverseTarget]
}

// reverseTarget is who works for a reverseTracer: theirs, or else ours.
type reverseTarget struct {
	state  *state
	theirs trace.Tracer
	ours   private.Tracer
	start  starter // of ours
}

func (t *reverseTracer) target() *reverseTarget {
	now := t.providers.Now()
	if last := t.last.Load(); last != nil && last.state == now {
		return last
	}
	made := &reverseTarget{state: now}
	switch {
	case now.Theirs != nil:
		made.theirs = programTracer(now.Theirs, t.name, t.opts)
	case now.Ours != nil:
		made.ours = now.Ours.Tracer(t.name, t.opts...)
	default:
		made.ours = noop.Tracer{}
	}
	if made.ours != nil {
		made.start = starterOf(made.ours)
	}
	t.last.Store(made)
	return made
}

func programTracer(p trace.TracerProvider, name string, opts []private.TracerOption) trace.Tracer {
	config := private.NewTracerConfig(opts...)
	made := []trace.TracerOption{
		trace.WithInstrumentationVersion(config.InstrumentationVersion()), trace.WithSchemaURL(config.SchemaURL()),
	}
	if set := config.InstrumentationAttributes(); set.Len() > 0 {
		if opt := withScopeAttributes(attrs.Program(set.ToSlice())); opt != nil {
			made = append(made, opt)
		}
	}
	return p.Tracer(name, made...)
}

// Start implements trace.Tracer.
func (t *reverseTracer) Start(ctx context.Context, name string, opts ...private.SpanStartOption) (context.Context, private.Span) {
	target := t.target()
	if target.theirs == nil {
		return target.ours.Start(ctx, name, opts...)
	}
	return startTheirs(target.theirs, ctx, name, private.NewSpanStartConfig(opts...))
}

// StartWithConfig makes the tracer a starter.
func (t *reverseTracer) StartWithConfig(ctx context.Context, name string, config private.SpanConfig) (context.Context, private.Span) {
	target := t.target()
	if target.theirs == nil {
		return target.start.StartWithConfig(ctx, name, config)
	}
	return startTheirs(target.theirs, ctx, name, config)
}

func startTheirs(t trace.Tracer, ctx context.Context, name string, config private.SpanConfig) (context.Context, private.Span) {
	var opts []trace.SpanStartOption
	if kind := config.SpanKind(); kind != private.SpanKindUnspecified {
		opts = append(opts, trace.WithSpanKind(trace.SpanKind(kind)))
	}
	if kvs := config.Attributes(); len(kvs) > 0 {
		opts = append(opts, trace.WithAttributes(attrs.Program(kvs)...))
	}
	if t := config.Timestamp(); !t.IsZero() {
		opts = append(opts, trace.WithTimestamp(t))
	}
	if links := config.Links(); len(links) > 0 {
		made := make([]trace.Link, len(links))
		for i := range links {
			made[i] = programLink(links[i])
		}
		opts = append(opts, trace.WithLinks(made...))
	}
	if config.NewRoot() {
		opts = append(opts, trace.WithNewRoot())
	}
	ctx, span := t.Start(ctx, name, opts...)
	return ctx, Private(span)
}

// Enabled is what tracers may have.
func (t *reverseTracer) Enabled(ctx context.Context) bool {
	target := t.target()
	var who any = target.ours
	if target.theirs != nil {
		who = target.theirs
	}
	e, ok := who.(interface{ Enabled(context.Context) bool })
	return !ok || e.Enabled(ctx)
}
