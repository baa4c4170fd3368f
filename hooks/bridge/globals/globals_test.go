package globals

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	privateotel "otelobj.private/go.opentelemetry.io/otel"
	privateprop "otelobj.private/go.opentelemetry.io/otel/propagation"
	privatesdk "otelobj.private/go.opentelemetry.io/otel/sdk/trace"
	"otelobj.private/go.opentelemetry.io/otel/sdk/trace/tracetest"
	private "otelobj.private/go.opentelemetry.io/otel/trace"
)

// What the program makes in variables of its packages, and what instrumentations make in theirs.
var (
	early        = otel.Tracer("early")
	earlyPrivate = privateotel.Tracer("early")
	earlyText    = otel.GetTextMapPropagator()
)

// Each test is a process of its own, since globals are set once and for all.
func inProcess(t *testing.T, f func(t *testing.T), env ...string) (said string) {
	t.Helper()
	const child = "OTELOBJ_TEST_CHILD"
	if os.Getenv(child) != "" {
		f(t)
		return ""
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), child+"=1"), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "PASS: "+t.Name()) {
		t.Errorf("%v\n%s%s", err, out, stderr.String())
	}
	return stderr.String()
}

// call is the hook context of a setter's call.
type call struct{ skipped bool }

func (c *call) SetSkipCall(skip bool) { c.skipped = skip }

// set does what the program's call does, once its hook is linked in.
func set(tp trace.TracerProvider) {
	var c call
	if BeforeSetTracerProvider(&c, tp); !c.skipped {
		otel.SetTracerProvider(tp)
	}
}

func setText(p propagation.TextMapPropagator) {
	var c call
	if BeforeSetTextMapPropagator(&c, p); !c.skipped {
		otel.SetTextMapPropagator(p)
	}
}

type counter struct{ n int }

func (*counter) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (c *counter) OnEnd(sdk.ReadOnlySpan)                   { c.n++ }
func (*counter) Shutdown(context.Context) error             { return nil }
func (*counter) ForceFlush(context.Context) error           { return nil }

// connected begins a process with the bridge and a private SDK.
func connected() *tracetest.SpanRecorder {
	Connect()
	ours := tracetest.NewSpanRecorder()
	privateotel.SetTracerProvider(privatesdk.NewTracerProvider(privatesdk.WithSpanProcessor(ours)))
	return ours
}

func ownProgram() (*sdk.TracerProvider, *counter) {
	c := &counter{}
	return sdk.NewTracerProvider(sdk.WithSpanProcessor(c)), c
}

// spans makes one with each tracer: early and late ones of both copies, which are one trace.
func spansOfAll(t *testing.T) {
	t.Helper()
	ctx, a := early.Start(context.Background(), "a")
	ctx, b := privateotel.Tracer("late").Start(ctx, "b")
	ctx, c := otel.Tracer("late").Start(ctx, "c")
	_, d := earlyPrivate.Start(ctx, "d")
	id := a.SpanContext().TraceID().String()
	if got := []string{b.SpanContext().TraceID().String(), c.SpanContext().TraceID().String(), d.SpanContext().TraceID().String()}; got[0] != id || got[1] != id || got[2] != id {
		t.Errorf("traces %v and %s", got, id)
	}
	for _, end := range []func(){func() { d.End() }, func() { c.End() }, func() { b.End() }, func() { a.End() }} {
		end()
	}
}

func TestTheProgramSetsNothing(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		spansOfAll(t)
		if n := len(ours.Ended()); n != 4 {
			t.Errorf("%d spans", n)
		}
	})
}

func TestTheProgramSetsItsOwn(t *testing.T) {
	said := inProcess(t, func(t *testing.T) {
		ours := connected()
		spansOfAll(t)
		theirs, c := ownProgram()
		set(theirs)
		spansOfAll(t)
		if n := len(ours.Ended()); n != 4 || c.n != 4 {
			t.Errorf("%d spans of ours, %d of theirs", n, c.n)
		}
		if otel.GetTracerProvider() != trace.TracerProvider(theirs) {
			t.Error("the program does not get what it has set")
		}
	}, "OTEL_LOG_LEVEL=info")
	if strings.Count(said, "has set a tracer provider of its own") > 1 || os.Getenv("OTELOBJ_TEST_CHILD") == "" && !strings.Contains(said, "OTELOBJ_PROVIDER=program") {
		t.Errorf("said %q", said)
	}
}

// The program's init functions may run before ours, and its provider may be there before anything else, with or without a hook that sees it.
func TestTheProgramIsFirst(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		theirs, c := ownProgram()
		set(theirs)
		ours := connected()
		spansOfAll(t)
		if n := len(ours.Ended()); n != 0 || c.n != 4 {
			t.Errorf("%d spans of ours, %d of theirs", n, c.n)
		}
	})
}

func TestTheProgramIsFirstAndNotSeen(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		theirs, c := ownProgram()
		otel.SetTracerProvider(theirs)
		ours := connected()
		spansOfAll(t)
		if n := len(ours.Ended()); n != 0 || c.n != 4 {
			t.Errorf("%d spans of ours, %d of theirs", n, c.n)
		}
	})
}

// A nil pointer is the program's own mistake, and nobody else's.
func TestTheProgramSetsANilPointer(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		var c call
		BeforeSetTracerProvider(&c, (*sdk.TracerProvider)(nil))
		BeforeSetTracerProvider(&c, nil)
		BeforeSetTextMapPropagator(&c, nil)
		if spansOfAll(t); len(ours.Ended()) != 4 || c.skipped {
			t.Error("it has an effect")
		}
	})
}

// Without a private SDK the bridge carries spans of instrumentations to the program's provider, and that is all.
func TestNoSDKOfOurs(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		before := otel.GetTracerProvider()
		Connect()
		if otel.GetTracerProvider() != before {
			t.Error("the program's global is another")
		}
		if _, span := early.Start(context.Background(), "s"); span.SpanContext().IsValid() {
			t.Error("a span from nowhere")
		}
		theirs, c := ownProgram()
		set(theirs)
		spansOfAll(t)
		if c.n != 4 {
			t.Errorf("%d spans", c.n)
		}
	}, "OTELOBJ_PROVIDER=otelobj") // which has no effect then
}

func TestOursWins(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		theirs, c := ownProgram()
		set(theirs)
		spansOfAll(t)
		if n := len(ours.Ended()); n != 4 || c.n != 0 {
			t.Errorf("%d spans of ours, %d of theirs", n, c.n)
		}
	}, "OTELOBJ_PROVIDER=otelobj")
}

// What the program has set in an init function before there was ours loses its place, but for tracers that the API has bound to it.
func TestOursWinsOverWhatWasThereFirst(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		theirs, c := ownProgram()
		set(theirs)
		setText(propagation.Baggage{})
		ours := connected()
		privateotel.SetTextMapPropagator(privateprop.TraceContext{})
		spansOfAll(t)
		if n := len(ours.Ended()); n != 3 || c.n != 1 {
			t.Errorf("%d spans of ours, %d of theirs", n, c.n)
		}
		for _, fields := range [][]string{otel.GetTextMapPropagator().Fields(), privateotel.GetTextMapPropagator().Fields()} {
			if len(fields) != 2 || fields[0] != "traceparent" {
				t.Errorf("the propagator has the fields %v", fields)
			}
		}
	}, "OTELOBJ_PROVIDER=otelobj")
}

func TestNoopWins(t *testing.T) {
	said := inProcess(t, func(t *testing.T) {
		ours := connected()
		set(noopProvider())
		spansOfAll(t)
		if n := len(ours.Ended()); n != 0 {
			t.Errorf("%d spans", n)
		}
	}, "OTEL_SERVICE_NAME=s")
	if os.Getenv("OTELOBJ_TEST_CHILD") == "" && strings.Count(said, "does nothing: there are no spans unless it sets another one") != 1 {
		t.Errorf("said %q", said)
	}
}

func TestUnlessNoop(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		set(noopProvider())
		spansOfAll(t)
		theirs, c := ownProgram()
		set(theirs)
		spansOfAll(t)
		if n := len(ours.Ended()); n != 4 || c.n != 4 {
			t.Errorf("%d spans of ours, %d of theirs", n, c.n)
		}
	}, "OTELOBJ_PROVIDER=unless-noop")
}

func TestNoChoice(t *testing.T) {
	said := inProcess(t, func(t *testing.T) {
		connected()
		theirs, _ := ownProgram()
		set(theirs)
		set(theirs)
	}, "OTELOBJ_PROVIDER=mine")
	if os.Getenv("OTELOBJ_TEST_CHILD") == "" && strings.Count(said, `OTELOBJ_PROVIDER="mine": not a choice`) != 1 {
		t.Errorf("said %q", said)
	}
}

// While the program sets a provider, nothing of it is called unless that matters: it may be inside a call of its own.
type busy struct{ trace.TracerProvider }

func (busy) Tracer(string, ...trace.TracerOption) trace.Tracer {
	panic("the program has not finished it")
}

func TestAProviderIsNotCalled(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		connected()
		set(busy{})
		if otel.GetTracerProvider() != trace.TracerProvider(busy{}) {
			t.Error("the program does not get what it has set")
		}
	})
}

func TestAProviderThatPanics(t *testing.T) {
	said := inProcess(t, func(t *testing.T) {
		connected()
		set(busy{})
		if otel.GetTracerProvider() != trace.TracerProvider(busy{}) {
			t.Error("the program does not get what it has set")
		}
	}, "OTELOBJ_PROVIDER=unless-noop", "OTEL_LOG_LEVEL=info")
	if os.Getenv("OTELOBJ_TEST_CHILD") == "" && !strings.Contains(said, "globals.busy") {
		t.Errorf("said %q", said)
	}
}

// What the program has set before our init functions may be nil.
func TestNilIsThereFirst(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		defer func() {
			if r := recover(); r != nil {
				t.Error(r)
			}
		}()
		otel.SetTextMapPropagator(nil)
		func() {
			defer func() { _ = recover() }() // there are early tracers, which some releases cannot give to a nil provider
			otel.SetTracerProvider((*sdk.TracerProvider)(nil))
		}()
		ours := connected()
		privateotel.SetTextMapPropagator(privateprop.TraceContext{})
		if _, span := otel.Tracer("late").Start(context.Background(), "s"); !span.IsRecording() {
			t.Error("no span")
		} else {
			span.End()
		}
		if n := len(ours.Ended()); n != 1 {
			t.Errorf("%d spans", n)
		}
		if len(otel.GetTextMapPropagator().Fields()) == 0 {
			t.Error("no propagator")
		}
	})
}

// wrapper is a provider of the program's that wraps what it finds, and what that makes.
type wrapper struct{ trace.TracerProvider }

type wrappedTracer struct {
	trace.Tracer
	starts *int
}

var wrapperStarts int

func (w wrapper) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	return wrappedTracer{w.TracerProvider.Tracer(name, opts...), &wrapperStarts}
}

func (w wrappedTracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	*w.starts++
	return w.Tracer.Start(ctx, name, opts...)
}

// A provider that does nothing was not set, so the program wraps ours, as it would have wrapped that one.
func TestTheProgramWrapsOurs(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		set(noopProvider())
		set(wrapper{otel.GetTracerProvider()})
		spansOfAll(t)
		if n := len(ours.Ended()); n != 4 || wrapperStarts != 3 {
			t.Errorf("%d spans of ours, %d through the wrapper", n, wrapperStarts)
		}
		theirs, c := ownProgram()
		set(theirs)
		spansOfAll(t)
		if n := len(ours.Ended()); n != 4 || c.n != 4 {
			t.Errorf("%d spans of ours, %d of theirs", n, c.n)
		}
	}, "OTELOBJ_PROVIDER=unless-noop")
}

// marks is a propagator that shows where it was.
type marks string

func (m marks) Inject(_ context.Context, c propagation.TextMapCarrier) { c.Set("by", string(m)) }
func (m marks) Extract(ctx context.Context, _ propagation.TextMapCarrier) context.Context {
	return context.WithValue(ctx, m, m)
}
func (m marks) Fields() []string { return []string{string(m)} }

func TestPropagators(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		Connect()
		by := func(inject func(context.Context, http.Header)) string {
			c := http.Header{}
			sc := private.NewSpanContext(private.SpanContextConfig{TraceID: [16]byte{1}, SpanID: [8]byte{2}})
			inject(private.ContextWithSpanContext(context.Background(), sc), c)
			if c.Get("traceparent") != "" {
				return "w3c"
			}
			return c.Get("by")
		}
		check := func(earlyWant, lateWant, privateWant string) {
			t.Helper()
			got := [3]string{
				by(func(ctx context.Context, c http.Header) { earlyText.Inject(ctx, propagation.HeaderCarrier(c)) }),
				by(func(ctx context.Context, c http.Header) {
					otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(c))
				}),
				by(func(ctx context.Context, c http.Header) {
					privateotel.GetTextMapPropagator().Inject(ctx, privateprop.HeaderCarrier(c))
				}),
			}
			if got != [3]string{earlyWant, lateWant, privateWant} {
				t.Errorf("injected by %v, not %v", got, [3]string{earlyWant, lateWant, privateWant})
			}
		}
		check("", "", "")
		privateotel.SetTextMapPropagator(privateprop.TraceContext{})
		check("w3c", "w3c", "w3c")
		ctx := otel.GetTextMapPropagator().Extract(context.Background(), propagation.HeaderCarrier{"Traceparent": {"00-01000000000000000000000000000000-0200000000000000-01"}})
		if !trace.SpanContextFromContext(ctx).IsRemote() || !private.SpanContextFromContext(ctx).IsRemote() {
			t.Error("what was extracted is not there for both")
		}
		if got := otel.GetTextMapPropagator().Fields(); len(got) != 2 {
			t.Errorf("fields %v", got)
		}
		setText(marks("theirs"))
		check("theirs", "theirs", "theirs")
		setText(marks("last"))
		check("theirs", "last", "last")
	})
}

func TestErrors(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		connected()
		var got []string
		h := otel.ErrorHandlerFunc(func(err error) { got = append(got, err.Error()) })
		otel.SetErrorHandler(h)
		privateotel.Handle(errors.New("private"))
		otel.Handle(errors.New("theirs"))
		if strings.Join(got, " ") != "private theirs" {
			t.Errorf("handled %v", got)
		}
	})
}
