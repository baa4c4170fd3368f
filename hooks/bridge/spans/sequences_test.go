package spans_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	privatebaggage "otelobj.private/go.opentelemetry.io/otel/baggage"
	privatecodes "otelobj.private/go.opentelemetry.io/otel/codes"
	privatesdk "otelobj.private/go.opentelemetry.io/otel/sdk/trace"
	private "otelobj.private/go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/bridge/bags"
	"github.com/otelobj/otelobj/hooks/bridge/spans"
)

// Random sequences of calls to both copies of the API, whose tree of spans the test knows.

func TestSequences(t *testing.T) {
	sequences := 3000
	if testing.Short() {
		sequences = 300
	}
	bags.Connect()
	checks := 0
	for seed := range sequences {
		w := newWorld(t, uint64(seed))
		for range 10 + w.rand.IntN(40) {
			w.step()
		}
		w.finish()
		checks += w.checks
		if t.Failed() {
			t.Fatalf("sequence %d:\n%s", seed, w.log)
		}
	}
	t.Logf("%d sequences, %d checks", sequences, checks)
}

// identity is a span context in a form that both copies can be compared in.
type identity struct {
	trace, span     string
	sampled, remote bool
}

func programIdentity(sc trace.SpanContext) identity {
	return identity{sc.TraceID().String(), sc.SpanID().String(), sc.IsSampled(), sc.IsRemote()}
}

func privateIdentity(sc private.SpanContext) identity {
	return identity{sc.TraceID().String(), sc.SpanID().String(), sc.IsSampled(), sc.IsRemote()}
}

var nobody = programIdentity(trace.SpanContext{})

// known is a context, and what the test knows about it.
type known struct {
	ctx     context.Context
	current identity
	span    *node // nil: none of the test's
	baggage string
}

// node is a span that was started: what its SDK must have in the end.
type node struct {
	ctx     *known
	id      identity
	theirs  bool // the program's SDK has it
	dropped bool
	ended   bool
	want    exported
}

// exported is what both SDKs can be compared by.
type exported struct {
	name, parent  string
	links         []string
	attributes    []string
	events        []string
	status, scope string
	kind          string
}

type world struct {
	t         *testing.T
	rand      *rand.Rand
	log       string
	checks    int
	contexts  []*known
	nodes     []*node
	providers *spans.Providers
	theirs    bool // the program has set its provider
	provider  *sdk.TracerProvider
	early     trace.Tracer   // made by the program before it has set its provider
	ours      private.Tracer // made by an instrumentation then
	got       *recorder
}

// recorder has the spans that ended, by ID.
type recorder struct {
	mu    sync.Mutex
	spans map[string]exported
	twice bool
}

func (r *recorder) put(id string, e exported) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.spans[id]
	r.twice = r.twice || known
	r.spans[id] = e
}

type programProcessor struct{ *recorder }

func (programProcessor) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (programProcessor) Shutdown(context.Context) error             { return nil }
func (programProcessor) ForceFlush(context.Context) error           { return nil }
func (p programProcessor) OnEnd(s sdk.ReadOnlySpan) {
	e := exported{name: s.Name(), parent: s.Parent().SpanID().String(), status: fmt.Sprintf("%d %s", s.Status().Code, s.Status().Description), kind: s.SpanKind().String(), scope: "theirs"}
	for _, l := range s.Links() {
		e.links = append(e.links, l.SpanContext.SpanID().String())
	}
	for _, kv := range s.Attributes() {
		e.attributes = append(e.attributes, string(kv.Key)+"="+fmt.Sprint(kv.Value.AsInterface()))
	}
	for _, v := range s.Events() {
		e.events = append(e.events, v.Name)
	}
	p.put(s.SpanContext().SpanID().String(), e)
}

type privateProcessor struct{ *recorder }

func (privateProcessor) OnStart(context.Context, privatesdk.ReadWriteSpan) {}
func (privateProcessor) Shutdown(context.Context) error                    { return nil }
func (privateProcessor) ForceFlush(context.Context) error                  { return nil }
func (p privateProcessor) OnEnd(s privatesdk.ReadOnlySpan) {
	e := exported{name: s.Name(), parent: s.Parent().SpanID().String(), status: fmt.Sprintf("%d %s", s.Status().Code, s.Status().Description), kind: s.SpanKind().String(), scope: "ours"}
	for _, l := range s.Links() {
		e.links = append(e.links, l.SpanContext.SpanID().String())
	}
	for _, kv := range s.Attributes() {
		e.attributes = append(e.attributes, string(kv.Key)+"="+fmt.Sprint(kv.Value.AsInterface()))
	}
	for _, v := range s.Events() {
		e.events = append(e.events, v.Name)
	}
	p.put(s.SpanContext().SpanID().String(), e)
}

// Samplers that drop what is called so, no matter what the parent is.
type programSampler struct{}

func (programSampler) Description() string { return "by name" }
func (programSampler) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	if p.Name == "drop" {
		return sdk.SamplingResult{Decision: sdk.Drop, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
	}
	return sdk.SamplingResult{Decision: sdk.RecordAndSample}
}

type privateSampler struct{}

func (privateSampler) Description() string { return "by name" }
func (privateSampler) ShouldSample(p privatesdk.SamplingParameters) privatesdk.SamplingResult {
	if p.Name == "drop" {
		return privatesdk.SamplingResult{Decision: privatesdk.Drop, Tracestate: private.SpanContextFromContext(p.ParentContext).TraceState()}
	}
	return privatesdk.SamplingResult{Decision: privatesdk.RecordAndSample}
}

func newWorld(t *testing.T, seed uint64) *world {
	if !spans.Connect() {
		t.Fatal("the API has other layouts")
	}
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 0)), got: &recorder{spans: map[string]exported{}}, providers: &spans.Providers{}}
	w.providers.SetOurs(privatesdk.NewTracerProvider(privatesdk.WithSampler(privateSampler{}), privatesdk.WithSpanProcessor(privateProcessor{w.got})))
	w.provider = sdk.NewTracerProvider(sdk.WithSampler(programSampler{}), sdk.WithSpanProcessor(programProcessor{w.got}))
	w.early, w.ours = w.providers.Forward().Tracer("early"), w.providers.Reverse().Tracer("ours")
	w.contexts = []*known{{ctx: context.Background(), current: nobody}}
	return w
}

func (w *world) say(format string, args ...any) { w.log += fmt.Sprintf(format+"\n", args...) }

func pick[T any](w *world, from []T) T { return from[w.rand.IntN(len(from))] }

func (w *world) coin() bool { return w.rand.IntN(2) == 0 }

func (w *world) add(k known, how string, from *known) *known {
	w.contexts = append(w.contexts, &k)
	w.say("context %d: %s of %d: %+v", len(w.contexts)-1, how, slices.Index(w.contexts, from), k.current)
	w.check(&k)
	return &k
}

// check compares what both copies say about a context with what the test knows.
func (w *world) check(k *known) {
	w.checks++
	if got := programIdentity(trace.SpanContextFromContext(k.ctx)); got != k.current {
		w.t.Errorf("the program sees %+v, not %+v", got, k.current)
	}
	if got := privateIdentity(private.SpanContextFromContext(k.ctx)); got != k.current {
		w.t.Errorf("the private API sees %+v, not %+v", got, k.current)
	}
	if got := privateIdentity(private.SpanFromContext(k.ctx).SpanContext()); got != k.current {
		w.t.Errorf("the private API's span is %+v, not %+v", got, k.current)
	}
	recording := k.span != nil && !k.span.dropped && !k.span.ended
	if p, q := trace.SpanFromContext(k.ctx).IsRecording(), private.SpanFromContext(k.ctx).IsRecording(); p != recording || q != recording {
		w.t.Errorf("recording is %v for the program and %v for the private API, not %v", p, q, recording)
	}
	if p, q := baggage.FromContext(k.ctx).Member("k").Value(), privatebaggage.FromContext(k.ctx).Member("k").Value(); p != k.baggage || q != k.baggage {
		w.t.Errorf("baggage is %q for the program and %q for the private API, not %q", p, q, k.baggage)
	}
}

func (w *world) step() {
	from := pick(w, w.contexts)
	k := *from
	switch w.rand.IntN(12) {
	case 0, 1, 2, 3:
		w.start(from)
	case 4: // the span of another context
		other := pick(w, w.contexts)
		k.current, k.span = other.current, other.span
		if w.coin() {
			k.ctx = trace.ContextWithSpan(from.ctx, trace.SpanFromContext(other.ctx))
		} else {
			k.ctx = private.ContextWithSpan(from.ctx, private.SpanFromContext(other.ctx))
		}
		w.add(k, "span of another", from)
	case 5: // a span of another process, or one of which no more is known than its IDs
		remote := w.coin()
		tid, sid := [16]byte{1, byte(w.rand.Uint32())}, [8]byte{2, byte(w.rand.Uint32()), byte(w.rand.Uint32())}
		if w.coin() {
			sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: tid, SpanID: sid, TraceFlags: trace.FlagsSampled})
			k.ctx = trace.ContextWithSpanContext(from.ctx, sc)
			if remote {
				k.ctx = trace.ContextWithRemoteSpanContext(from.ctx, sc)
			}
			k.current = programIdentity(sc.WithRemote(remote))
		} else {
			sc := private.NewSpanContext(private.SpanContextConfig{TraceID: tid, SpanID: sid, TraceFlags: private.FlagsSampled})
			k.ctx = private.ContextWithSpanContext(from.ctx, sc)
			if remote {
				k.ctx = private.ContextWithRemoteSpanContext(from.ctx, sc)
			}
			k.current = privateIdentity(sc.WithRemote(remote))
		}
		k.span = nil
		w.add(k, "other process", from)
	case 6: // what every program does with contexts
		switch w.rand.IntN(4) {
		case 0:
			k.ctx = context.WithValue(from.ctx, key{}, 1)
		case 1:
			ctx, cancel := context.WithCancel(from.ctx)
			w.t.Cleanup(cancel)
			k.ctx = ctx
		case 2:
			k.ctx = context.WithoutCancel(from.ctx)
		case 3:
			k.ctx = hides{from.ctx, privateKeys}
		}
		w.add(k, "derived", from)
	case 7: // values lost
		k.ctx, k.current, k.span, k.baggage = hides{from.ctx, programKeys}, nobody, nil, ""
		if w.coin() {
			k.ctx = context.Background()
		}
		w.add(k, "values lost", from)
	case 8:
		w.baggage(from)
	case 9, 10:
		if len(w.nodes) > 0 {
			w.touch(pick(w, w.nodes))
		}
	case 11:
		if !w.theirs && w.rand.IntN(4) == 0 {
			w.theirs = true
			w.providers.SetTheirs(w.provider)
			w.say("the program sets its provider")
		}
		w.check(from)
	}
}

type key struct{}

// hides is a context that has lost values.
type hides struct {
	context.Context
	hidden func(key any) bool
}

func (h hides) Value(key any) any {
	if h.hidden(key) {
		return nil
	}
	return h.Context.Value(key)
}

func (w *world) start(from *known) {
	name := pick(w, []string{"a", "b", "drop"})
	var links []string
	other := pick(w, w.contexts)
	newRoot, linked, side := w.rand.IntN(6) == 0, w.rand.IntN(4) == 0 && other.current != nobody, w.rand.IntN(3)
	if side == 2 && !w.theirs {
		side = w.rand.IntN(2)
	}
	n := &node{theirs: w.theirs, dropped: name == "drop"}
	k := known{span: n, baggage: from.baggage}
	if side == 1 {
		opts := []private.SpanStartOption{private.WithAttributes(privateattr.String("s", "private"), privateattr.StringSlice("l", []string{"x", "y"})), private.WithSpanKind(private.SpanKindServer)}
		if newRoot {
			opts = append(opts, private.WithNewRoot())
		}
		if linked {
			opts = append(opts, private.WithLinks(private.LinkFromContext(other.ctx, privateattr.IntSlice("n", []int{1}))))
		}
		ctx, span := w.ours.Start(from.ctx, name, opts...)
		k.ctx, k.current = ctx, privateIdentity(span.SpanContext())
		n.want.attributes = []string{"s=private", "l=[x y]"}
		if private.SpanFromContext(ctx).SpanContext().SpanID() != span.SpanContext().SpanID() {
			w.t.Error("the span is not that of its context")
		}
	} else {
		tracer := w.early
		if side == 2 {
			tracer = w.provider.Tracer("late")
		}
		opts := []trace.SpanStartOption{trace.WithAttributes(attribute.String("s", "program"), attribute.StringSlice("l", []string{"x", "y"})), trace.WithSpanKind(trace.SpanKindServer)}
		if newRoot {
			opts = append(opts, trace.WithNewRoot())
		}
		if linked {
			opts = append(opts, trace.WithLinks(trace.LinkFromContext(other.ctx, attribute.IntSlice("n", []int{1}))))
		}
		ctx, span := tracer.Start(from.ctx, name, opts...)
		k.ctx, k.current = ctx, programIdentity(span.SpanContext())
		n.want.attributes = []string{"s=program", "l=[x y]"}
		if span.IsRecording() && trace.SpanFromContext(ctx) != span {
			w.t.Error("the span is not that of its context")
		}
	}
	if linked {
		links = []string{other.current.span}
	}
	n.id = k.current
	n.want.name, n.want.links, n.want.status, n.want.kind, n.want.scope = name, links, "0 ", "server", map[bool]string{false: "ours", true: "theirs"}[n.theirs]
	n.want.parent = from.current.span
	if newRoot {
		n.want.parent = nobody.span
	}
	if want := from.current.trace; !newRoot && from.current != nobody && n.id.trace != want {
		w.t.Errorf("trace %s, not %s", n.id.trace, want)
	}
	n.ctx = w.add(k, "start "+name, from)
	w.nodes = append(w.nodes, n)
}

func (w *world) baggage(from *known) {
	k := *from
	k.baggage = fmt.Sprint("v", w.rand.IntN(100))
	if w.coin() {
		b, err := baggage.Parse("k=" + k.baggage)
		if err != nil {
			w.t.Fatal(err)
		}
		k.ctx = baggage.ContextWithBaggage(from.ctx, b)
	} else {
		m, _ := privatebaggage.NewMemberRaw("k", k.baggage)
		b, err := privatebaggage.New(m)
		if err != nil {
			w.t.Fatal(err)
		}
		k.ctx = privatebaggage.ContextWithBaggage(from.ctx, b)
	}
	w.add(k, "baggage", from)
}

// touch changes a span, or ends it, through either copy.
func (w *world) touch(n *node) {
	what, value := w.rand.IntN(5), fmt.Sprint(w.rand.Uint32())
	program, private := trace.SpanFromContext(n.ctx.ctx), private.SpanFromContext(n.ctx.ctx)
	side := w.coin()
	w.say("touch %s: %d, %v", n.id.span, what, side)
	want := &n.want
	if n.ended {
		want = &exported{} // too late
	}
	switch what {
	case 0:
		if side {
			program.SetAttributes(attribute.String(value, value), attribute.Float64Slice(value+"f", []float64{1.5}))
		} else {
			private.SetAttributes(privateattr.String(value, value), privateattr.Float64Slice(value+"f", []float64{1.5}))
		}
		want.attributes = append(want.attributes, value+"="+value, value+"f=[1.5]")
	case 1:
		if side {
			program.AddEvent(value, trace.WithAttributes(attribute.Bool("b", true)))
		} else {
			private.AddEvent(value)
		}
		want.events = append(want.events, value)
	case 2:
		if side {
			program.SetStatus(codes.Error, value)
		} else {
			private.SetStatus(privatecodes.Error, value)
		}
		want.status = "1 " + value
	case 3:
		if side {
			program.SetName(value)
		} else {
			private.SetName(value)
		}
		want.name = value
	case 4:
		if side {
			program.End()
		} else {
			private.End()
		}
		n.ended = true
	}
}

// finish ends what is open and compares the trees.
func (w *world) finish() {
	for _, n := range w.nodes {
		trace.SpanFromContext(n.ctx.ctx).End()
		n.ended = true
	}
	for _, k := range w.contexts {
		w.check(k)
	}
	exportedSpans := 0
	for _, n := range w.nodes {
		w.checks++
		got, ok := w.got.spans[n.id.span]
		if ok == n.dropped {
			w.t.Errorf("span %s: exported: %v", n.id.span, ok)
		}
		if !ok {
			continue
		}
		exportedSpans++
		slices.Sort(got.attributes)
		slices.Sort(n.want.attributes)
		if fmt.Sprint(got) != fmt.Sprint(n.want) {
			w.t.Errorf("span %s:\n got %+v\nwant %+v", n.id.span, got, n.want)
		}
	}
	if exportedSpans != len(w.got.spans) || w.got.twice {
		w.t.Errorf("%d spans were exported, %d are known, or one twice", len(w.got.spans), exportedSpans)
	}
}
