package meters

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	privateotel "otelobj.private/go.opentelemetry.io/otel"
	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	private "otelobj.private/go.opentelemetry.io/otel/metric"
	privatesdk "otelobj.private/go.opentelemetry.io/otel/sdk/metric"
	privatedata "otelobj.private/go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelobj/otelobj/hooks/bridge/meters/forward"
	"github.com/otelobj/otelobj/hooks/bridge/meters/reverse"
)

// Each test is a process of its own, since globals are set once and for all.
func inProcess(t *testing.T, f func(t *testing.T), env ...string) {
	t.Helper()
	const child = "OTELOBJ_TEST_CHILD"
	if os.Getenv(child) != "" {
		f(t)
		return
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), child+"=1"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

type call struct{ skipped bool }

func (c *call) SetSkipCall(skip bool) { c.skipped = skip }

// set does what the program's call does, once its hook is linked in.
func set(mp metric.MeterProvider) {
	var c call
	if BeforeSetMeterProvider(&c, mp); !c.skipped {
		otel.SetMeterProvider(mp)
	}
}

// ours begins the private SDK, and returns what it has collected: instrument, attributes and value, sorted.
func ours() func(t *testing.T) []string {
	reader := privatesdk.NewManualReader()
	privateotel.SetMeterProvider(privatesdk.NewMeterProvider(privatesdk.WithReader(reader)))
	return func(t *testing.T) []string {
		t.Helper()
		var got privatedata.ResourceMetrics
		if err := reader.Collect(context.Background(), &got); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, scope := range got.ScopeMetrics {
			for _, m := range scope.Metrics {
				lines = append(lines, privatePoints(scope.Scope.Name+"/"+m.Name+" "+m.Unit, m.Data)...)
			}
		}
		slices.Sort(lines)
		return lines
	}
}

func privatePoints(name string, data privatedata.Aggregation) (lines []string) {
	line := func(set privateattr.Set, v any) {
		lines = append(lines, fmt.Sprint(name, " ", set.Encoded(privateattr.DefaultEncoder()), " ", v))
	}
	switch d := data.(type) {
	case privatedata.Sum[int64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Value)
		}
	case privatedata.Sum[float64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Value)
		}
	case privatedata.Gauge[int64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Value)
		}
	case privatedata.Gauge[float64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Value)
		}
	case privatedata.Histogram[int64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Sum)
		}
	case privatedata.Histogram[float64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Sum)
		}
	}
	return lines
}

// theirs makes a provider of the program's SDK.
func theirs() (*sdk.MeterProvider, func(t *testing.T) []string) {
	reader := sdk.NewManualReader()
	return sdk.NewMeterProvider(sdk.WithReader(reader)), func(t *testing.T) []string {
		t.Helper()
		var got metricdata.ResourceMetrics
		if err := reader.Collect(context.Background(), &got); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, scope := range got.ScopeMetrics {
			for _, m := range scope.Metrics {
				lines = append(lines, programPoints(scope.Scope.Name+"/"+m.Name+" "+m.Unit, m.Data)...)
			}
		}
		slices.Sort(lines)
		return lines
	}
}

func programPoints(name string, data metricdata.Aggregation) (lines []string) {
	line := func(set attribute.Set, v any) {
		lines = append(lines, fmt.Sprint(name, " ", set.Encoded(attribute.DefaultEncoder()), " ", v))
	}
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Value)
		}
	case metricdata.Sum[float64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Value)
		}
	case metricdata.Gauge[int64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Value)
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Value)
		}
	case metricdata.Histogram[int64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Sum)
		}
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			line(p.Attributes, p.Sum)
		}
	}
	return lines
}

func must[T any](i T, err error) T {
	if err != nil {
		panic(err)
	}
	return i
}

// programUse makes one instrument of each kind with the program's API, and returns what measures once with each synchronous one.
func programUse(name string) (measure func()) {
	m := otel.Meter(name)
	ctx, with := context.Background(), metric.WithAttributes(attribute.String("k", "v"), attribute.StringSlice("l", []string{"a", "b"}))
	ic, iu, ih := must(m.Int64Counter("ic", metric.WithUnit("By"))), must(m.Int64UpDownCounter("iu")), must(m.Int64Histogram("ih"))
	fc, fu, fh := must(m.Float64Counter("fc")), must(m.Float64UpDownCounter("fu")), must(m.Float64Histogram("fh"))
	seven := metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error { o.Observe(7, with); return nil })
	must(m.Int64ObservableCounter("ioc", seven))
	must(m.Int64ObservableUpDownCounter("iou", seven))
	must(m.Int64ObservableGauge("iog", seven))
	half := metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error { o.Observe(0.5); return nil })
	must(m.Float64ObservableCounter("foc", half))
	must(m.Float64ObservableUpDownCounter("fou", half))
	must(m.Float64ObservableGauge("fog", half))
	i, f := must(m.Int64ObservableGauge("ri")), must(m.Float64ObservableGauge("rf"))
	must(m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(i, 8, with)
		o.ObserveFloat64(f, 2.5)
		return nil
	}, i, f))
	return func() {
		ic.Add(ctx, 1, with)
		iu.Add(ctx, -1, with)
		ih.Record(ctx, 3, with)
		fc.Add(ctx, 1.5)
		fu.Add(ctx, -1.5, with)
		fh.Record(ctx, 3.5, with)
	}
}

func privateUse(name string) (measure func()) {
	m := privateotel.Meter(name)
	ctx, with := context.Background(), private.WithAttributes(privateattr.String("k", "v"), privateattr.StringSlice("l", []string{"a", "b"}))
	ic, iu, ih := must(m.Int64Counter("ic", private.WithUnit("By"))), must(m.Int64UpDownCounter("iu")), must(m.Int64Histogram("ih"))
	fc, fu, fh := must(m.Float64Counter("fc")), must(m.Float64UpDownCounter("fu")), must(m.Float64Histogram("fh"))
	seven := private.WithInt64Callback(func(_ context.Context, o private.Int64Observer) error { o.Observe(7, with); return nil })
	must(m.Int64ObservableCounter("ioc", seven))
	must(m.Int64ObservableUpDownCounter("iou", seven))
	must(m.Int64ObservableGauge("iog", seven))
	half := private.WithFloat64Callback(func(_ context.Context, o private.Float64Observer) error { o.Observe(0.5); return nil })
	must(m.Float64ObservableCounter("foc", half))
	must(m.Float64ObservableUpDownCounter("fou", half))
	must(m.Float64ObservableGauge("fog", half))
	i, f := must(m.Int64ObservableGauge("ri")), must(m.Float64ObservableGauge("rf"))
	must(m.RegisterCallback(func(_ context.Context, o private.Observer) error {
		o.ObserveInt64(i, 8, with)
		o.ObserveFloat64(f, 2.5)
		return nil
	}, i, f))
	return func() {
		ic.Add(ctx, 1, with)
		iu.Add(ctx, -1, with)
		ih.Record(ctx, 3, with)
		fc.Add(ctx, 1.5)
		fu.Add(ctx, -1.5, with)
		fh.Record(ctx, 3.5, with)
	}
}

// wanted is what one round of measurements gives.
func wanted(names ...string) []string {
	var lines []string
	for _, n := range names {
		for _, l := range []string{
			"ic By k=v,l=[\"a\",\"b\"] 1", "iu  k=v,l=[\"a\",\"b\"] -1", "ih  k=v,l=[\"a\",\"b\"] 3", "fc   1.5", "fu  k=v,l=[\"a\",\"b\"] -1.5",
			"fh  k=v,l=[\"a\",\"b\"] 3.5", "ioc  k=v,l=[\"a\",\"b\"] 7", "iou  k=v,l=[\"a\",\"b\"] 7", "iog  k=v,l=[\"a\",\"b\"] 7", "foc   0.5",
			"fou   0.5", "fog   0.5", "ri  k=v,l=[\"a\",\"b\"] 8", "rf   2.5",
		} {
			lines = append(lines, n+"/"+l)
		}
	}
	slices.Sort(lines)
	return lines
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	for i := range got { // older releases write lists in another way
		got[i] = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(got[i], `\"`, `"`), `\,`, ","), "[a b]", `["a","b"]`)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheProgramSetsNothing(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		early, earlyPrivate := programUse("early"), privateUse("earlyPrivate")
		Connect()
		collected := ours()
		late, latePrivate := programUse("late"), privateUse("latePrivate")
		for _, measure := range []func(){early, earlyPrivate, late, latePrivate} {
			measure()
		}
		same(t, collected(t), wanted("early", "earlyPrivate", "late", "latePrivate"))
	})
}

// Early instruments, the observable ones too, go over to the provider that the program sets, and nothing of them is left with ours.
func TestTheProgramSetsItsOwn(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		early, earlyPrivate := programUse("early"), privateUse("earlyPrivate")
		Connect()
		collected := ours()
		mid, midPrivate := programUse("mid"), privateUse("midPrivate")
		provider, programCollected := theirs()
		set(provider)
		late, latePrivate := programUse("late"), privateUse("latePrivate")
		for _, measure := range []func(){early, earlyPrivate, mid, midPrivate, late, latePrivate} {
			measure()
		}
		same(t, programCollected(t), wanted("early", "earlyPrivate", "mid", "midPrivate", "late", "latePrivate"))
		same(t, collected(t), nil)
		second, secondCollected := theirs()
		set(second) // which instrumentations follow, and the program's own instruments do not
		for _, measure := range []func(){earlyPrivate, midPrivate, latePrivate} {
			measure()
		}
		same(t, secondCollected(t), wanted("earlyPrivate", "midPrivate", "latePrivate"))
	})
}

func TestTheProgramIsFirst(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		provider, programCollected := theirs()
		set(provider)
		Connect()
		collected := ours()
		late, latePrivate := programUse("late"), privateUse("latePrivate")
		late()
		latePrivate()
		same(t, programCollected(t), wanted("late", "latePrivate"))
		same(t, collected(t), nil)
	})
}

func TestOursWins(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		Connect()
		collected := ours()
		provider, programCollected := theirs()
		set(provider)
		late, latePrivate := programUse("late"), privateUse("latePrivate")
		late()
		latePrivate()
		same(t, programCollected(t), nil)
		same(t, collected(t), wanted("late", "latePrivate"))
	}, "OTELOBJ_PROVIDER=otelobj")
}

func TestOursWinsOverWhatWasThereFirst(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		provider, programCollected := theirs()
		set(provider)
		Connect()
		collected := ours()
		late, latePrivate := programUse("late"), privateUse("latePrivate")
		late()
		latePrivate()
		same(t, programCollected(t), nil)
		same(t, collected(t), wanted("late", "latePrivate"))
	}, "OTELOBJ_PROVIDER=otelobj")
}

// See TestTheProgramWrapsOurs of package globals.
func TestTheProgramWrapsOurs(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		Connect()
		collected := ours()
		set(noop.NewMeterProvider())
		set(wrapped{otel.GetMeterProvider()})
		late, latePrivate := programUse("late"), privateUse("latePrivate")
		late()
		latePrivate()
		same(t, collected(t), wanted("late", "latePrivate"))
	}, "OTELOBJ_PROVIDER=unless-noop")
}

func TestUnregister(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		Connect()
		collected := ours()
		m := otel.Meter("m")
		g := must(m.Int64ObservableGauge("g"))
		r := must(m.RegisterCallback(func(_ context.Context, o metric.Observer) error { o.ObserveInt64(g, 1); return nil }, g))
		same(t, collected(t), []string{"m/g   1"})
		if err := r.Unregister(); err != nil {
			t.Error(err)
		}
		same(t, collected(t), nil)
		provider, programCollected := theirs()
		set(provider)
		same(t, programCollected(t), nil)
		if err := r.Unregister(); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}

// wrapped is a provider that can be compared, and has another address each time it is set; unequal is one that cannot be.
type (
	wrapped struct{ metric.MeterProvider }
	unequal struct {
		metric.MeterProvider
		_ []int
	}
)

// A provider may be set more than once. SDKs from 1.24 on take the callbacks of an instrument once only, so it must not be made again.
func TestAProviderIsSetAgain(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		Connect()
		collected := ours()
		privateUse("m")
		now := otel.GetMeterProvider() // ours
		// Without what is measured.
		want := slices.DeleteFunc(wanted("m"), func(line string) bool {
			return slices.Contains([]string{"ic", "iu", "ih", "fc", "fu", "fh"}, strings.TrimPrefix(strings.Fields(line)[0], "m/"))
		})
		a, fromA := theirs()
		b, fromB := theirs()
		u := unequal{MeterProvider: b}
		for i, step := range []struct {
			set         metric.MeterProvider
			a, b, other []string
		}{
			{a, want, nil, nil}, {a, want, nil, nil}, {b, nil, want, nil}, {a, want, nil, nil}, {now, nil, nil, want}, {a, want, nil, nil}, {now, nil, nil, want},
		} {
			set(step.set)
			t.Log("step", i)
			for _, theirs := range []struct{ got, want []string }{{fromA(t), step.a}, {fromB(t), step.b}} {
				if theirs.want == nil { // older SDKs repeat sums for ever
					theirs.got = slices.DeleteFunc(theirs.got, func(line string) bool {
						return slices.Contains([]string{"m/ioc", "m/iou", "m/foc", "m/fou"}, strings.Fields(line)[0])
					})
				}
				same(t, theirs.got, theirs.want)
			}
			same(t, collected(t), step.other)
		}
		c, fromC := theirs()
		set(wrapped{c})
		set(wrapped{c})
		same(t, fromC(t), want)
		set(u)
		privateUse("n") // with registrations, which look for the instrument again
		if got := fromB(t); len(got) == 0 || !strings.Contains(strings.Join(got, " "), "n/ioc") {
			t.Errorf("got %v", got)
		}
	})
}

// What an SDK says of an instrument that it does not take costs the others nothing.
func TestAnInstrumentIsNotTaken(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		Connect()
		collected := ours()
		register := func(p metric.MeterProvider) (metric.Registration, error) {
			m := p.Meter("m")
			good := must(m.Int64ObservableGauge("good"))
			bad := must(p.Meter("other").Int64ObservableGauge("bad"))
			return m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
				o.ObserveInt64(good, 1)
				o.ObserveInt64(bad, 2)
				return nil
			}, good, bad)
		}
		r, err := register(otel.GetMeterProvider())
		direct, directErr := privateotel.GetMeterProvider().Meter("d").RegisterCallback(nil)
		if r == nil || err == nil || direct == nil || directErr != nil {
			t.Fatalf("registered %v, %v; without instruments %v, %v", r, err, direct, directErr)
		}
		if got := strings.Join(collected(t), " "); !strings.Contains(got, "m/good   1") {
			t.Errorf("got %s", got)
		}
		plain, plainCollected := theirs()
		_, _ = register(plain)
		provider, programCollected := theirs()
		set(provider)
		same(t, programCollected(t), plainCollected(t)) // what the SDK makes of it: some releases register nothing
		if err := r.Unregister(); err != nil {
			t.Error(err)
		}
		same(t, append(collected(t), programCollected(t)...), nil)
	})
}

// More sets of attributes than are remembered arrive all the same.
func TestManySets(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		Connect()
		reader := privatesdk.NewManualReader()
		privateotel.SetMeterProvider(privatesdk.NewMeterProvider(privatesdk.WithReader(reader), privatesdk.WithCardinalityLimit(0)))
		c := must(otel.Meter("m").Int64Counter("c"))
		const n = 4500
		for range 2 {
			for i := range n {
				c.Add(context.Background(), 1, metric.WithAttributes(attribute.Int("i", i)))
			}
		}
		var got privatedata.ResourceMetrics
		if err := reader.Collect(context.Background(), &got); err != nil {
			t.Fatal(err)
		}
		points := got.ScopeMetrics[0].Metrics[0].Data.(privatedata.Sum[int64]).DataPoints
		if len(points) != n {
			t.Errorf("%d series", len(points))
		}
		for _, p := range points {
			if p.Value != 2 {
				t.Fatalf("%v: %d", p.Attributes, p.Value)
			}
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	ctx := context.Background()
	set := []attribute.KeyValue{attribute.String("a", "b"), attribute.Int("n", 1), attribute.Bool("t", true)}
	privateSet := []privateattr.KeyValue{privateattr.String("a", "b"), privateattr.Int("n", 1), privateattr.Bool("t", true)}
	provider := privatesdk.NewMeterProvider(privatesdk.WithReader(privatesdk.NewManualReader()))
	b.Run("direct", func(b *testing.B) {
		c := must(provider.Meter("m").Int64Counter("c"))
		b.ReportAllocs()
		for b.Loop() {
			c.Add(ctx, 1, private.WithAttributes(privateSet...))
		}
	})
	providers.SetOurs(provider)
	b.Run("bridged", func(b *testing.B) {
		c := must(forward.New(&providers).Meter("m").Int64Counter("c"))
		b.ReportAllocs()
		for b.Loop() {
			c.Add(ctx, 1, metric.WithAttributes(set...))
		}
	})
	program := sdk.NewMeterProvider(sdk.WithReader(sdk.NewManualReader()))
	b.Run("program", func(b *testing.B) {
		c := must(program.Meter("m").Int64Counter("c"))
		b.ReportAllocs()
		for b.Loop() {
			c.Add(ctx, 1, metric.WithAttributes(set...))
		}
	})
	providers.SetTheirs(program)
	b.Run("reverse", func(b *testing.B) {
		c := must(reverse.New(&providers).Meter("m").Int64Counter("c"))
		b.ReportAllocs()
		for b.Loop() {
			c.Add(ctx, 1, private.WithAttributes(privateSet...))
		}
	})
}
