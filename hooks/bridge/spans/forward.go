package spans

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	privatecodes "otelobj.private/go.opentelemetry.io/otel/codes"
	private "otelobj.private/go.opentelemetry.io/otel/trace"
	"otelobj.private/go.opentelemetry.io/otel/trace/noop"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
)

// view is a span of the program's API that stands for a private one.
type view struct {
	embeddedSpan
	private private.Span
}

// End implements trace.Span. The private span's End recovers a panic if it is deferred itself, which it is where a panic is on its way.
func (v *view) End(opts ...trace.SpanEndOption) {
	if r := recover(); r != nil {
		defer v.private.End(endOptions(opts)...)
		panic(r)
	}
	v.private.End(endOptions(opts)...)
}

func endOptions(opts []trace.SpanEndOption) []private.SpanEndOption {
	if len(opts) == 0 {
		return nil
	}
	config := trace.NewSpanEndConfig(opts...)
	var made []private.SpanEndOption
	if t := config.Timestamp(); !t.IsZero() {
		made = append(made, private.WithTimestamp(t))
	}
	if config.StackTrace() {
		made = append(made, private.WithStackTrace(true))
	}
	return made
}

// AddEvent implements trace.Span.
func (v *view) AddEvent(name string, opts ...trace.EventOption) {
	v.private.AddEvent(name, eventOptions(opts)...)
}

func eventOptions(opts []trace.EventOption) []private.EventOption {
	if len(opts) == 0 {
		return nil
	}
	config := trace.NewEventConfig(opts...)
	made := []private.EventOption{private.WithTimestamp(config.Timestamp())}
	if kvs := config.Attributes(); len(kvs) > 0 {
		made = append(made, private.WithAttributes(attrs.Private(kvs)...))
	}
	if config.StackTrace() {
		made = append(made, private.WithStackTrace(true))
	}
	return made
}

// AddLink implements trace.Span from 1.25 on.
func (v *view) AddLink(link trace.Link) { v.private.AddLink(privateLink(link)) }

// IsRecording implements trace.Span.
func (v *view) IsRecording() bool { return v.private.IsRecording() }

// RecordError implements trace.Span.
func (v *view) RecordError(err error, opts ...trace.EventOption) {
	v.private.RecordError(err, eventOptions(opts)...)
}

// SpanContext implements trace.Span.
func (v *view) SpanContext() trace.SpanContext { return programContext(v.private.SpanContext()) }

// SetStatus implements trace.Span.
func (v *view) SetStatus(code codes.Code, description string) {
	v.private.SetStatus(privatecodes.Code(code), description)
}

// SetName implements trace.Span.
func (v *view) SetName(name string) { v.private.SetName(name) }

// SetAttributes implements trace.Span.
func (v *view) SetAttributes(kvs ...attribute.KeyValue) {
	v.private.SetAttributes(attrs.Private(kvs)...)
}

// TracerProvider implements trace.Span.
func (v *view) TracerProvider() trace.TracerProvider {
	if p, ok := v.private.TracerProvider().(*reverseProvider); ok {
		return p.providers.Forward()
	}
	return fixedOurs(v.private.TracerProvider()).Forward()
}

type forwardProvider struct {
	embeddedTracerProvider
	providers *Providers
}

// Tracer implements trace.TracerProvider.
func (p *forwardProvider) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	p.providers.Asked(name)
	key := scope{name: name}
	if len(opts) > 0 {
		config := trace.NewTracerConfig(opts...)
		key.version, key.schema = config.InstrumentationVersion(), config.SchemaURL()
		if set, ok := scopeAttributes(&config); ok && set.Len() > 0 {
			key.attributes = set.Equivalent()
		}
	}
	return p.providers.forward.of(key, func() *forwardTracer { return &forwardTracer{providers: p.providers, name: name, opts: opts} })
}

// forwardTracer is a tracer of the program's API.
type forwardTracer struct {
	embeddedTracer
	providers *Providers
	name      string
	opts      []trace.TracerOption
	last      atomic.Pointer[forwardTarget]
}

// forwardTarget is who works for a forwardTracer: theirs, or else ours.
type forwardTarget struct {
	state  *state
	theirs trace.Tracer
	ours   starter
}

// starter is what the private SDK's tracers can do (hooks/private/replace.yaml).
type starter interface {
	StartWithConfig(ctx context.Context, name string, config private.SpanConfig) (context.Context, private.Span)
}

func (t *forwardTracer) target() *forwardTarget {
	now := t.providers.Now()
	if last := t.last.Load(); last != nil && last.state == now {
		return last
	}
	made := &forwardTarget{state: now}
	if now.First != nil {
		made.theirs = now.First.Tracer(t.name, t.opts...)
	} else {
		made.ours = starterOf(privateTracer(now.Ours, t.name, t.opts))
	}
	t.last.Store(made)
	return made
}

func privateTracer(p private.TracerProvider, name string, opts []trace.TracerOption) private.Tracer {
	if p == nil {
		p = noop.NewTracerProvider()
	}
	config := trace.NewTracerConfig(opts...)
	made := []private.TracerOption{
		private.WithInstrumentationVersion(config.InstrumentationVersion()), private.WithSchemaURL(config.SchemaURL()),
	}
	if set, ok := scopeAttributes(&config); ok {
		made = append(made, private.WithInstrumentationAttributes(attrs.Private(set.ToSlice())...))
	}
	return p.Tracer(name, made...)
}

// scopeAttributes returns those of a tracer's scope, which has them from 1.14 on.
func scopeAttributes(config *trace.TracerConfig) (attribute.Set, bool) {
	if c, ok := any(config).(interface{ InstrumentationAttributes() attribute.Set }); ok {
		return c.InstrumentationAttributes(), true
	}
	return attribute.Set{}, false
}

func starterOf(t private.Tracer) starter {
	if s, ok := t.(starter); ok {
		return s
	}
	return optionStarter{t}
}

// optionStarter starts spans of tracers that know only options.
type optionStarter struct{ private.Tracer }

func (s optionStarter) StartWithConfig(ctx context.Context, name string, config private.SpanConfig) (context.Context, private.Span) {
	return s.Start(ctx, name, privateOptions(&config)...)
}

func privateOptions(config *private.SpanConfig) []private.SpanStartOption {
	made := []private.SpanStartOption{private.WithSpanKind(config.SpanKind()), private.WithAttributes(config.Attributes()...)}
	if t := config.Timestamp(); !t.IsZero() {
		made = append(made, private.WithTimestamp(t))
	}
	if links := config.Links(); len(links) > 0 {
		made = append(made, private.WithLinks(links...))
	}
	if config.NewRoot() {
		made = append(made, private.WithNewRoot())
	}
	return made
}

// Start implements trace.Tracer.
func (t *forwardTracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	target := t.target()
	if target.theirs != nil {
		return target.theirs.Start(ctx, name, opts...)
	}
	ctx, span := target.ours.StartWithConfig(ctx, name, privateConfig(trace.NewSpanStartConfig(opts...)))
	return ctx, ProgramIn(ctx, span)
}

// Enabled is what tracers may have, to spare the work for spans that nobody wants.
func (t *forwardTracer) Enabled(ctx context.Context) bool {
	target := t.target()
	var who any = target.ours
	if target.theirs != nil {
		who = target.theirs
	}
	e, ok := who.(interface{ Enabled(context.Context) bool })
	return !ok || e.Enabled(ctx)
}
