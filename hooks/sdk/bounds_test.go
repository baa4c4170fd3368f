//go:build !otelobj_program

package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	apitrace "go.opentelemetry.io/otel/trace"
)

// sized notes how many spans it gets at a time, and fails.
type sized struct {
	tracetest.NoopExporter
	counts []int
}

func (e *sized) ExportSpans(_ context.Context, spans []trace.ReadOnlySpan) error {
	e.counts = append(e.counts, len(spans))
	return fmt.Errorf("part %d", len(e.counts))
}

// A batch of large spans is no large message.
func TestLargeSpansAreExportedInParts(t *testing.T) {
	for _, c := range []struct{ spans, bytes, parts int }{{512, 100, 1}, {100, 100_000, 10}, {3, 2 * maxPartBytes, 3}, {0, 0, 0}} {
		to := &sized{}
		q := newQueue(to, -1)
		stubs := make(tracetest.SpanStubs, c.spans)
		for i := range stubs {
			stubs[i].Attributes = []attribute.KeyValue{attribute.String("k", strings.Repeat("x", c.bytes))}
		}
		spans := stubs.Snapshots()
		for _, s := range spans {
			q.bytes.Add(size(s))
			q.spans.Add(1)
		}
		err := drain{to, q}.ExportSpans(t.Context(), spans)
		sum := 0
		for _, n := range to.counts {
			sum += n
		}
		if sum != c.spans || len(to.counts) != c.parts || q.bytes.Load() != 0 || q.spans.Load() != 0 {
			t.Errorf("%d spans of %d bytes: %v, %d bytes and %d spans left", c.spans, c.bytes, to.counts, q.bytes.Load(), q.spans.Load())
		}
		if (err != nil) != (c.parts > 0) || err != nil && err.Error() != "part 1" {
			t.Error(err)
		}
	}
}

// TestSeriesAreBounded: of every instrument, with the overflow's as the SDK's specification has it.
func TestSeriesAreBounded(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	otel.SetMeterProvider(&meterProvider{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	m := otel.Meter("bounds")
	i64, _ := m.Int64Counter("i64")
	f64, _ := m.Float64Histogram("f64")
	up, _ := m.Int64UpDownCounter("up")
	for i := range 2 * maxSeries {
		host := attribute.Int("host", i)
		i64.Add(t.Context(), 1, metric.WithAttributes(host))
		f64.Record(t.Context(), 1, metric.WithAttributes(host))
		up.Add(t.Context(), 1, metric.WithAttributeSet(attribute.NewSet(host)))
	}
	i64.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("host", 0))) // known before
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	seen := 0
	check := func(name string, sets []attribute.Set, counts []int64) {
		seen++
		if len(sets) != maxSeries {
			t.Errorf("%s: %d series", name, len(sets))
		}
		total, over := int64(0), int64(0)
		for i, set := range sets {
			total += counts[i]
			if v, ok := set.Value("otel.metric.overflow"); ok && v.AsBool() && set.Len() == 1 {
				over = counts[i]
			}
		}
		if want := int64(2 * maxSeries); total < want || over != int64(maxSeries+1) {
			t.Errorf("%s: %d in all, %d in the overflow", name, total, over)
		}
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			var sets []attribute.Set
			var counts []int64
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					sets, counts = append(sets, p.Attributes), append(counts, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					sets, counts = append(sets, p.Attributes), append(counts, int64(p.Count))
				}
			}
			check(m.Name, sets, counts)
		}
	}
	if seen != 3 {
		t.Errorf("%d metrics", seen)
	}
}

func TestTheSDKsOwnLimitWins(t *testing.T) {
	t.Setenv("OTEL_GO_X_CARDINALITY_LIMIT", "5")
	reader := manualProvider()
	count, _ := otel.Meter("bounds").Int64Counter("i64")
	for i := range 20 {
		count.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("host", i)))
	}
	if got := collected(t, reader)["i64"]; len(got) != 5 || got[overflow.Equivalent()] != 16 {
		t.Errorf("%v", got)
	}
}

// TestInstrumentsMadeAgain: a program that asks for its instrument at each use has one of them.
func TestInstrumentsMadeAgain(t *testing.T) {
	reader := manualProvider()
	for i := range 2 * maxSeries {
		count, _ := otel.Meter("bounds").Int64Counter("i64")
		count.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("host", i)))
	}
	other, _ := otel.Meter("bounds", metric.WithInstrumentationVersion("2")).Int64Counter("other")
	other.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("host", -1)))
	got := collected(t, reader)
	if len(got["i64"]) != maxSeries || got["i64"][overflow.Equivalent()] != maxSeries+1 {
		t.Errorf("%d series", len(got["i64"]))
	}
	if _, fits := got["other"][overflow.Equivalent()]; fits || len(got["other"]) != 1 {
		t.Errorf("another instrument: %v", got["other"])
	}
}

// TestObservablesAreBounded: at each collection, whatever kind, and however the callback was registered.
func TestObservablesAreBounded(t *testing.T) {
	first := 0 // of the hosts that are observed
	observe := func(one func(metric.MeasurementOption)) {
		for i := range 2 * maxSeries {
			one(metric.WithAttributes(attribute.Int("host", first+i)))
		}
	}
	ints := metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		observe(func(with metric.MeasurementOption) { o.Observe(1, with) })
		return nil
	})
	floats := metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
		observe(func(with metric.MeasurementOption) { o.Observe(1, with) })
		return nil
	})
	reader := manualProvider()
	m := otel.Meter("bounds")
	var errs [10]error
	_, errs[0] = m.Int64ObservableCounter("ic", ints, metric.WithUnit("{host}"))
	_, errs[1] = m.Int64ObservableUpDownCounter("iu", ints)
	_, errs[2] = m.Int64ObservableGauge("ig", ints)
	_, errs[3] = m.Float64ObservableCounter("fc", floats)
	_, errs[4] = m.Float64ObservableUpDownCounter("fu", floats)
	_, errs[5] = m.Float64ObservableGauge("fg", floats)
	ri, err := m.Int64ObservableCounter("ri")
	errs[6] = err
	rf, err := m.Float64ObservableGauge("rf")
	errs[7] = err
	var r metric.Registration
	r, errs[8] = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		observe(func(with metric.MeasurementOption) { o.ObserveInt64(ri, 1, with); o.ObserveFloat64(rf, 1, with) })
		return nil
	}, ri, rf)
	_, errs[9] = m.RegisterCallback(func(_ context.Context, o metric.Observer) error { // adds to what the first one has observed
		o.ObserveInt64(ri, 1, metric.WithAttributes(attribute.Int("host", -1)))
		return nil
	}, ri)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	names := []string{"ic", "iu", "ig", "fc", "fu", "fg", "ri", "rf"}
	for range 2 {
		got := collected(t, reader)
		for _, name := range names {
			host := attribute.NewSet(attribute.Int("host", first))
			if v, kept := got[name][host.Equivalent()]; len(got[name]) != maxSeries || !kept || v != 1 {
				t.Errorf("%s: %d series, of the first one %d", name, len(got[name]), v)
			}
			over := int64(maxSeries + 1)
			switch name {
			case "ig", "fg", "rf": // the last one observed
				over = 1
			case "ri":
				over++
			}
			if got[name][overflow.Equivalent()] != over {
				t.Errorf("%s: %d in the overflow, not %d", name, got[name][overflow.Equivalent()], over)
			}
		}
		first += 10 * maxSeries // what is observed next has room again
	}
	if err := r.Unregister(); err != nil {
		t.Fatal(err)
	}
	got := collected(t, reader)
	if len(got["ri"]) != 1 || len(got["rf"]) != 0 || len(got["ic"]) != maxSeries {
		t.Errorf("after one callback has gone: %d, %d, %d", len(got["ri"]), len(got["rf"]), len(got["ic"]))
	}
}

// TestObservablesMadeBefore: the API hands on what the program has made before there was a provider, once in a process.
func TestObservablesMadeBefore(t *testing.T) {
	if os.Getenv("OTELOBJ_TEST_CHILD") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestObservablesMadeBefore$", "-test.v")
		cmd.Env = append(os.Environ(), "OTELOBJ_TEST_CHILD=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	m := otel.Meter("before")
	i, _ := m.Int64ObservableCounter("i")
	f, _ := m.Float64ObservableUpDownCounter("f")
	_, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for n := range 2 * maxSeries {
			with := metric.WithAttributes(attribute.Int("host", n))
			o.ObserveInt64(i, 1, with)
			o.ObserveFloat64(f, 1, with)
		}
		return nil
	}, i, f)
	if err != nil {
		t.Fatal(err)
	}
	got := collected(t, manualProvider())
	if len(got["i"]) != maxSeries || len(got["f"]) != maxSeries || got["i"][overflow.Equivalent()] != maxSeries+1 {
		t.Errorf("%d and %d series", len(got["i"]), len(got["f"]))
	}
}

// manualProvider sets a provider as the program gets it, and returns what collects from it.
func manualProvider() sdkmetric.Reader {
	reader := sdkmetric.NewManualReader()
	otel.SetMeterProvider(&meterProvider{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	return reader
}

// collected are the values of sums and gauges, by name and attributes.
func collected(t *testing.T, reader sdkmetric.Reader) map[string]map[attribute.Distinct]int64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[attribute.Distinct]int64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				all[m.Name] = values(d.DataPoints)
			case metricdata.Sum[float64]:
				all[m.Name] = values(d.DataPoints)
			case metricdata.Gauge[int64]:
				all[m.Name] = values(d.DataPoints)
			case metricdata.Gauge[float64]:
				all[m.Name] = values(d.DataPoints)
			}
		}
	}
	return all
}

func values[N int64 | float64](points []metricdata.DataPoint[N]) map[attribute.Distinct]int64 {
	found := map[attribute.Distinct]int64{}
	for _, p := range points {
		found[p.Attributes.Equivalent()] = int64(p.Value)
	}
	return found
}

// stuck is an exporter that has not exported anything yet.
type stuck struct {
	trace.SpanExporter
	release chan struct{}
}

func (s stuck) ExportSpans(context.Context, []trace.ReadOnlySpan) error { <-s.release; return nil }
func (s stuck) Shutdown(context.Context) error                          { return nil }

// TestTheQueueIsBoundedInBytes: behind a collector that hangs, and all that goes in afterwards fits again.
func TestTheQueueIsBoundedInBytes(t *testing.T) {
	s := stuck{release: make(chan struct{})}
	q := newQueue(s, maxValueLength)
	limits := spanLimits()
	tp := trace.NewTracerProvider(trace.WithSpanProcessor(q), trace.WithRawSpanLimits(limits))
	tracer := tp.Tracer("t")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 800 {
		large := string(make([]byte, 1<<20)) // a value that nobody has cut, with all of it behind it
		_, span := tracer.Start(t.Context(), "s", apitrace.WithAttributes(attribute.String("a", large)))
		span.SetAttributes(attribute.String("a", large))
		span.AddEvent("e", apitrace.WithAttributes(attribute.String("c", large)))
		span.End()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("%d MB are kept", grown>>20)
	}
	if q.dropped.Load() == 0 || q.bytes.Load() > maxQueueBytes || q.spans.Load() > q.most {
		t.Errorf("dropped %d; holds %d spans, %d bytes", q.dropped.Load(), q.spans.Load(), q.bytes.Load())
	}
	close(s.release)
	if err := tp.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if q.bytes.Load() != 0 || q.spans.Load() != 0 {
		t.Errorf("still holds %d spans, %d bytes", q.spans.Load(), q.bytes.Load())
	}
}

// TestTheQueueIsBoundedInSpans: what it takes in, the batch processor never drops.
func TestTheQueueIsBoundedInSpans(t *testing.T) {
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
	memory := tracetest.NewInMemoryExporter()
	s := stuck{SpanExporter: memory, release: make(chan struct{})}
	q := newQueue(gate{s, memory}, maxValueLength)
	tp := trace.NewTracerProvider(trace.WithSpanProcessor(q))
	tracer := tp.Tracer("t")
	for range 1000 {
		_, span := tracer.Start(t.Context(), "s")
		span.End()
	}
	dropped := q.dropped.Load()
	close(s.release)
	_ = tp.ForceFlush(t.Context())
	if got := len(memory.GetSpans()); int64(got)+dropped != 1000 || got == 0 {
		t.Errorf("%d exported, %d dropped", got, dropped)
	}
}

// TestTheQueueCountsRight: whatever several goroutines find full at once.
func TestTheQueueCountsRight(t *testing.T) {
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
	q := newQueue(tracetest.NewNoopExporter(), maxValueLength)
	tp := trace.NewTracerProvider(trace.WithSpanProcessor(q))
	tracer := tp.Tracer("t")
	large := strings.Repeat("x", 4000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 3000 {
				_, span := tracer.Start(context.Background(), "s", apitrace.WithAttributes(attribute.String("a", large[:i])))
				span.End()
			}
		}()
	}
	wg.Wait()
	if err := tp.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if q.bytes.Load() != 0 || q.spans.Load() != 0 {
		t.Errorf("holds %d spans, %d bytes", q.spans.Load(), q.bytes.Load())
	}
}

type gate struct {
	stuck
	next trace.SpanExporter
}

func (g gate) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	<-g.release
	return g.next.ExportSpans(ctx, spans)
}

func TestValuesAreCut(t *testing.T) {
	for setting, want := range map[string]int{"": maxValueLength, "100": 100, "-1": 1 << 20} {
		t.Setenv("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", setting)
		memory := tracetest.NewInMemoryExporter()
		limits := spanLimits()
		tp := trace.NewTracerProvider(trace.WithSpanProcessor(newQueue(memory, limits.AttributeValueLengthLimit)), trace.WithRawSpanLimits(limits))
		large := strings.Repeat("ä", 1<<19)
		_, span := tp.Tracer("t").Start(t.Context(), "s", apitrace.WithAttributes(attribute.String("a", large), attribute.Int("n", 1)))
		span.AddEvent("e", apitrace.WithAttributes(attribute.String("c", large)))
		span.End()
		_ = tp.ForceFlush(t.Context())
		got := memory.GetSpans()[0]
		value := got.Attributes[0].Value.AsString()
		if len(value) > max(want, 400) || len(value) < want/2 || len(got.Attributes) != 2 {
			t.Errorf("%q: %d bytes", setting, len(value))
		}
		if setting != "-1" && unsafe.StringData(value) == unsafe.StringData(large) && want > 4096 {
			t.Errorf("%q: keeps the whole", setting)
		}
		if c := got.Events[0].Attributes[0].Value.AsString(); len(c) > max(want, 4096) {
			t.Errorf("%q: an event of %d bytes", setting, len(c))
		}
	}
}

// TestAnswersAreBounded: of a real exporter's collector.
func TestAnswersAreBounded(t *testing.T) {
	written := make(chan int64, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		n, _ := io.Copy(w, io.LimitReader(zeros{}, 600<<20))
		written <- n
	}))
	defer server.Close()
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(server.URL), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	if err != nil {
		t.Fatal(err)
	}
	boundAnswers(exporter)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_ = exporter.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: "s"}}.Snapshots())
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 32<<20 {
		t.Errorf("allocated %d MB", took>>20)
	}
	_ = exporter.Shutdown(t.Context())
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	server.CloseClientConnections()
	if n := <-written; n > 100<<20 {
		t.Errorf("read %d MB", n>>20)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestTextsOfCollectorsAreQuoted(t *testing.T) {
	if err := errors.New("connection refused"); quoted(err) != err {
		t.Error("changed what is harmless")
	}
	cause := errors.New("cause")
	got := quoted(fmt.Errorf("body: \x1b[31mred\r\n%s %w", strings.Repeat("x", 5000), cause))
	if text := got.Error(); strings.ContainsAny(text, "\x1b\r\n") || len(text) > 2*maxText || !errors.Is(got, cause) {
		t.Errorf("%d bytes: %q", len(text), text)
	}
	if again := quoted(fmt.Errorf("at the end: %w", got)); strings.Count(again.Error(), `\\x1b`) != 0 {
		t.Errorf("quoted twice: %s", again)
	}
}

// TestTraceStatesCount: what a caller sends is held with its span.
func TestTraceStatesCount(t *testing.T) {
	state, err := apitrace.ParseTraceState("a=" + strings.Repeat("x", 200) + ",b=" + strings.Repeat("y", 200))
	if err != nil {
		t.Fatal(err)
	}
	sc := apitrace.NewSpanContext(apitrace.SpanContextConfig{TraceState: state})
	without := size(tracetest.SpanStub{Name: "s"}.Snapshot())
	for what, s := range map[string]tracetest.SpanStub{"span": {Name: "s", SpanContext: sc}, "link": {Name: "s", Links: []trace.Link{{SpanContext: sc}}}} {
		if more := size(s.Snapshot()) - without; more < 400 {
			t.Errorf("%s: %d bytes for its trace state", what, more)
		}
	}
}
