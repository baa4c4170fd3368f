package logs

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/embedded"
	"go.opentelemetry.io/otel/log/noop"
	"go.opentelemetry.io/otel/trace"

	privateotel "otelobj.private/go.opentelemetry.io/otel"
	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	private "otelobj.private/go.opentelemetry.io/otel/log"
	privatesdk "otelobj.private/go.opentelemetry.io/otel/sdk/log"
	privatetrace "otelobj.private/go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/bridge/spans"
)

// What the program makes in variables of its packages, and what instrumentations make in theirs.
var (
	early        = get().Logger("early")
	earlyPrivate = privateotel.Logger("early")
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

// setHooked does what the program's call does, once its hook is linked in.
func setHooked(lp log.LoggerProvider) {
	var c call
	if BeforeSetLoggerProvider(&c, lp); !c.skipped {
		set(lp)
	}
}

// kept is a processor of the private SDK.
type kept struct{ records []privatesdk.Record }

func (k *kept) OnEmit(_ context.Context, r *privatesdk.Record) error {
	k.records = append(k.records, r.Clone())
	return nil
}
func (*kept) Enabled(context.Context, privatesdk.EnabledParameters) bool { return true }
func (*kept) Shutdown(context.Context) error                             { return nil }
func (*kept) ForceFlush(context.Context) error                           { return nil }

// connected begins a process with the bridge and a private SDK.
func connected() *kept {
	Connect()
	ours := &kept{}
	privateotel.SetLoggerProvider(privatesdk.NewLoggerProvider(privatesdk.WithProcessor(ours)))
	return ours
}

// own is a provider of the program's.
type own struct {
	embedded.LoggerProvider
	names   []string
	configs []log.LoggerConfig
	records []log.Record
	asked   []log.EnabledParameters
}

func (o *own) Logger(name string, opts ...log.LoggerOption) log.Logger {
	o.names = append(o.names, name)
	o.configs = append(o.configs, log.NewLoggerConfig(opts...))
	return ownLogger{of: o}
}

type ownLogger struct {
	embedded.Logger
	of *own
}

func (l ownLogger) Emit(_ context.Context, r log.Record) { l.of.records = append(l.of.records, r) }
func (l ownLogger) Enabled(_ context.Context, param log.EnabledParameters) bool {
	l.of.asked = append(l.of.asked, param)
	return severityOf(&param) > log.SeverityInfo
}

// emitAll makes a record with each logger: early and late ones of both copies.
func emitAll() {
	var r log.Record
	r.SetSeverity(log.SeverityWarn)
	var p private.Record
	p.SetSeverity(private.SeverityWarn)
	ctx := context.Background()
	early.Emit(ctx, r)
	get().Logger("late").Emit(ctx, r)
	earlyPrivate.Emit(ctx, p)
	privateotel.Logger("late").Emit(ctx, p)
}

func TestTheProgramSetsNothing(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		emitAll()
		if len(ours.records) != 4 {
			t.Errorf("%d records", len(ours.records))
		}
	})
}

func TestNothingIsSetUp(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		before := get()
		Connect()
		emitAll()
		if privateotel.Logger("x").Enabled(context.Background(), private.EnabledParameters{}) {
			t.Error("nothing is there that would want records")
		}
		if get() != before {
			t.Error("the program's provider is another one, though nothing is exported")
		}
	})
}

func TestTheProgramSetsItsOwn(t *testing.T) {
	said := inProcess(t, func(t *testing.T) {
		ours := connected()
		emitAll()
		first, second := &own{}, &own{}
		setHooked(first)
		if get() != log.LoggerProvider(first) {
			t.Error("it is not the program's provider")
		}
		emitAll()
		setHooked(second)
		emitAll()
		if len(ours.records) != 4 || len(first.records) != 5 || len(second.records) != 3 {
			t.Errorf("%d of ours, %d of the first, %d of the second: early loggers of the program's stay with the first", len(ours.records), len(first.records), len(second.records))
		}
		if theirs := privateotel.GetLoggerProvider().(interface{ Theirs() any }).Theirs(); theirs != any(second) {
			t.Errorf("the flush would ask %T", theirs)
		}
	}, "OTEL_LOG_LEVEL=info")
	if os.Getenv("OTELOBJ_TEST_CHILD") == "" && !strings.Contains(said, "logs: the program has set a logger provider of its own (*logs.own)") {
		t.Errorf("said %q", said)
	}
}

func TestTheProgramHasSetItsOwnBefore(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		theirs := &own{}
		setHooked(theirs)
		ours := connected()
		emitAll()
		if len(ours.records) != 0 || len(theirs.records) != 4 {
			t.Errorf("%d of ours, %d of theirs", len(ours.records), len(theirs.records))
		}
	})
}

func TestOursWins(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		theirs := &own{}
		setHooked(theirs)
		emitAll()
		if len(ours.records) != 4 || len(theirs.records) != 0 {
			t.Errorf("%d of ours, %d of theirs", len(ours.records), len(theirs.records))
		}
	}, "OTELOBJ_PROVIDER=otelobj")
}

func TestOursWinsOverWhatWasThereFirst(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		theirs := &own{}
		setHooked(theirs)
		ours := connected()
		emitAll()
		if len(ours.records) != 3 || len(theirs.records) != 1 {
			t.Errorf("%d of ours, %d of theirs, to which the API has bound an early logger", len(ours.records), len(theirs.records))
		}
	}, "OTELOBJ_PROVIDER=otelobj")
}

func TestOursWinsOverOneThatDoesNothing(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		setHooked(noop.NewLoggerProvider())
		emitAll()
		if len(ours.records) != 4 {
			t.Errorf("%d records", len(ours.records))
		}
	}, "OTELOBJ_PROVIDER=unless-noop")
}

// wrapper hands out what another provider makes.
type wrapper struct {
	embedded.LoggerProvider
	of log.LoggerProvider
	n  int
}

func (w *wrapper) Logger(name string, opts ...log.LoggerOption) log.Logger {
	w.n++
	return w.of.Logger(name, opts...)
}

func TestTheProgramWrapsOurs(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		setHooked(noop.NewLoggerProvider())
		w := &wrapper{of: get()}
		setHooked(w)
		emitAll()
		if len(ours.records) != 4 || w.n == 0 {
			t.Errorf("%d records, %d loggers of the wrapper", len(ours.records), w.n)
		}
	}, "OTELOBJ_PROVIDER=unless-noop")
}

// samples has a value of each kind, and the kinds that its inside has.
func samples() []privateattr.KeyValue {
	return []privateattr.KeyValue{
		privateattr.Bool("bool", true), privateattr.Int64("int", -7), privateattr.Float64("float", 1.5), privateattr.String("string", "s"),
		{Key: "bytes", Value: privateattr.ByteSliceValue([]byte{1, 2})}, {Key: "empty"},
		{Key: "slice", Value: privateattr.SliceValue(privateattr.BoolValue(true), privateattr.StringValue("x"), privateattr.SliceValue())},
		{Key: "map", Value: privateattr.MapValue(privateattr.Int("a", 1), privateattr.KeyValue{Key: "b", Value: privateattr.MapValue(privateattr.Bool("c", false))})},
	}
}

func TestRecords(t *testing.T) {
	at, seen := time.Unix(100, 5), time.Unix(101, 6)
	cause := errors.New("cause")
	var r private.Record
	r.SetEventName("event")
	r.SetTimestamp(at)
	r.SetObservedTimestamp(seen)
	r.SetSeverity(private.SeverityError2)
	r.SetSeverityText("bad")
	r.SetBody(privateattr.MapValue(samples()...))
	r.AddAttributes(samples()...)
	r.SetErr(cause)
	theirs := programRecord(r)
	back := privateRecord(theirs)
	for _, c := range []struct{ got, want any }{
		{back.Timestamp(), at}, {back.ObservedTimestamp(), seen}, {back.Severity(), private.SeverityError2}, {back.SeverityText(), "bad"},
		{back.Body().String(), r.Body().String()},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
	want, got := map[string]string{}, map[string]string{}
	r.WalkAttributes(func(kv privateattr.KeyValue) bool {
		want[string(kv.Key)] = kv.Value.Type().String() + " " + kv.Value.String()
		return true
	})
	back.WalkAttributes(func(kv privateattr.KeyValue) bool {
		got[string(kv.Key)] = kv.Value.Type().String() + " " + kv.Value.String()
		return true
	})
	if eventName(&theirs) == "" {
		want["event.name"] = "STRING event"
	} else if back.EventName() != "event" {
		t.Errorf("event %q", back.EventName())
	}
	if recordErr(&theirs) == nil {
		want["exception.message"], want["exception.type"] = "STRING cause", "STRING *errors.errorString"
	} else if !errors.Is(back.Err(), cause) {
		t.Errorf("error %v", back.Err())
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("attributes\n%v, want\n%v", got, want)
	}
	var none private.Record
	empty := programRecord(none)
	if back := privateRecord(empty); back.Body().Type() != privateattr.EMPTY || back.AttributesLen() != 0 || back.Err() != nil || !back.Timestamp().IsZero() {
		t.Errorf("an empty record comes back as %v", back)
	}
}

func TestListsOfAttributes(t *testing.T) {
	for _, v := range []privateattr.Value{
		privateattr.BoolSliceValue([]bool{true, false}), privateattr.Int64SliceValue([]int64{1}), privateattr.Float64SliceValue([]float64{1.5}),
		privateattr.StringSliceValue([]string{"a", "b"}),
	} {
		if got := privateValue(programValue(v)); got.String() != v.String() {
			t.Errorf("%v comes back as %v", v, got)
		}
	}
}

func TestScopesAndEnabled(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		connected()
		theirs := &own{}
		setHooked(theirs)
		l := privateotel.Logger("name", private.WithInstrumentationVersion("v1"), private.WithSchemaURL("https://schema"), private.WithInstrumentationAttributes(privateattr.String("k", "v")))
		ctx := context.Background()
		if l.Enabled(ctx, private.EnabledParameters{Severity: private.SeverityDebug}) || !l.Enabled(ctx, private.EnabledParameters{Severity: private.SeverityError, EventName: "e"}) {
			t.Error("the program's provider was not asked")
		}
		last := len(theirs.asked) - 1
		if severityOf(&theirs.asked[last]) != log.SeverityError || hasEvent != (eventOf(&theirs.asked[last]) == "e") {
			t.Errorf("asked for %v", theirs.asked)
		}
		config := theirs.configs[len(theirs.configs)-1]
		set := config.InstrumentationAttributes()
		if v, _ := set.Value("k"); theirs.names[len(theirs.names)-1] != "name" || config.InstrumentationVersion() != "v1" || config.SchemaURL() != "https://schema" || v.AsString() != "v" {
			t.Errorf("%v %v", theirs.names, config)
		}
	})
}

func TestRecordsHaveTheSpanOfTheirContext(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		ours := connected()
		if !spans.Connect() {
			t.Fatal("contexts are not bridged")
		}
		sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
		get().Logger("x").Emit(trace.ContextWithSpanContext(context.Background(), sc), log.Record{})
		if len(ours.records) != 1 || ours.records[0].TraceID() != (privatetrace.TraceID{1}) || ours.records[0].SpanID() != (privatetrace.SpanID{2}) {
			t.Errorf("%v", ours.records)
		}
	})
}

func BenchmarkForward(b *testing.B) {
	var of providerSides
	of.SetOurs(privatesdk.NewLoggerProvider())
	l := (&forwardProvider{of: &of}).Logger("x")
	r := programRecord(func() (r private.Record) {
		r.SetBody(privateattr.StringValue("body"))
		r.AddAttributes(samples()[:3]...)
		return r
	}())
	b.ReportAllocs()
	for range b.N {
		l.Emit(context.Background(), r)
	}
}
