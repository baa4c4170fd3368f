//go:build !otelobj_program

package logs

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
	"github.com/otelobj/otelobj/hooks/sdk"
)

// held is an exporter that keeps what it gets. While it is blocked, exports hang.
type held struct {
	sync.Mutex
	records []sdklog.Record
	blocked chan struct{}
}

func (h *held) Export(ctx context.Context, records []sdklog.Record) error {
	if h.blocked != nil {
		<-h.blocked
	}
	h.Lock()
	defer h.Unlock()
	for i := range records {
		h.records = append(h.records, records[i].Clone())
	}
	return ctx.Err()
}

func (*held) Shutdown(context.Context) error   { return nil }
func (*held) ForceFlush(context.Context) error { return nil }

func (h *held) got() []sdklog.Record {
	h.Lock()
	defer h.Unlock()
	return h.records
}

func pipelineTo(h *held, limit int) (*queue, log.Logger) {
	q := newQueue(h, sdk.Signal{}, limit)
	p := sdklog.NewLoggerProvider(sdklog.WithProcessor(q), sdklog.WithAttributeValueLengthLimit(limit))
	return q, p.Logger("test")
}

func emit(l log.Logger, body string, attrs ...attribute.KeyValue) {
	var r log.Record
	r.SetBody(attribute.StringValue(body))
	r.AddAttributes(attrs...)
	l.Emit(context.Background(), r)
}

// Neither many records nor large ones take more than their share while nothing is exported, and there is room again afterwards.
func TestQueueIsBounded(t *testing.T) {
	for name, text := range map[string]string{"many": "x", "large": strings.Repeat("x", 10000)} {
		t.Run(name, func(t *testing.T) {
			h := &held{blocked: make(chan struct{})}
			q, l := pipelineTo(h, sanitize.MaxStack)
			for range 3 * defaultQueueSize {
				emit(l, text, attribute.String("k", text))
			}
			taken := int(q.records.Load())
			if taken > defaultQueueSize || q.bytes.Load() > maxQueueBytes || taken+int(q.dropped.Load()) != 3*defaultQueueSize {
				t.Fatalf("%d records of %d bytes wait, %d are dropped", taken, q.bytes.Load(), q.dropped.Load())
			}
			if name == "large" && taken >= defaultQueueSize {
				t.Error("the bound in bytes does not hold")
			}
			close(h.blocked)
			if err := q.ForceFlush(context.Background()); err != nil {
				t.Fatal(err)
			}
			if n := len(h.got()); n != taken || q.records.Load() != 0 || q.bytes.Load() != 0 {
				t.Errorf("%d of %d exported, %d records of %d bytes wait", n, taken, q.records.Load(), q.bytes.Load())
			}
			emit(l, "after")
			if q.records.Load() != 1 {
				t.Error("no room")
			}
		})
	}
}

// A flush that has no time left forgets no record, and the queue has room for as many as before.
func TestFlushThatEndsEarly(t *testing.T) {
	h := &held{blocked: make(chan struct{})}
	q, l := pipelineTo(h, sanitize.MaxStack)
	for range defaultQueueSize {
		emit(l, "x")
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Millisecond, cancel)
	if err := q.ForceFlush(ctx); err == nil {
		t.Error("it says that it has flushed")
	}
	close(h.blocked)
	if err := q.ForceFlush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(h.got()); n != defaultQueueSize || q.records.Load() != 0 {
		t.Errorf("%d exported, %d wait", n, q.records.Load())
	}
}

// Long texts are cut wherever they are, and what is kept is not a part of the whole.
func TestLongValues(t *testing.T) {
	h := &held{}
	q, l := pipelineTo(h, 5000)
	long := strings.Repeat("é", 1<<16)
	emit(l, long, attribute.String("s", long), attribute.StringSlice("l", []string{"a", long}), attribute.ByteSlice("b", []byte(long)),
		attribute.Map("m", attribute.String("in", long), attribute.Slice("deep", attribute.StringValue(long))), attribute.String("short", "é"))
	if err := q.ForceFlush(context.Background()); err != nil {
		t.Fatal(err)
	}
	r := h.got()[0]
	if n := size(&r); n > recordBytes+7*(5000+100) {
		t.Errorf("%d bytes are kept", n)
	}
	begin := uintptr(unsafe.Pointer(unsafe.StringData(long)))
	check := func(s string) {
		if at := uintptr(unsafe.Pointer(unsafe.StringData(s))); at >= begin && at < begin+uintptr(len(long)) {
			t.Error("the whole text is kept")
		}
		if len(s) > 5000 || len(s) < 4990 || !strings.HasPrefix(long, s) {
			t.Errorf("%d bytes", len(s))
		}
	}
	check(r.Body().AsString())
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		switch kv.Key {
		case "s":
			check(kv.Value.AsString())
		case "l":
			check(kv.Value.AsStringSlice()[1])
		case "m":
			for _, in := range kv.Value.AsMap() {
				if in.Key == "deep" {
					check(in.Value.AsSlice()[0].AsString())
				} else {
					check(in.Value.AsString())
				}
			}
		case "short":
			if kv.Value.AsString() != "é" {
				t.Error("changed")
			}
		}
		return true
	})
}

// Without a record there is no goroutine.
func TestNothingIsStartedWithoutRecords(t *testing.T) {
	q, _ := pipelineTo(&held{}, -1)
	if q.ForceFlush(context.Background()) != nil || q.Shutdown(context.Background()) != nil || q.started.Load() {
		t.Error("something was started")
	}
}

func TestWriting(t *testing.T) {
	var outer, inner Writing
	if IsWriting() {
		t.Error("before")
	}
	outer.Begin()
	inner.Begin()
	if !IsWriting() {
		t.Error("not inside")
	}
	Bridged()
	if !inner.End() || !IsWriting() || !outer.End() || IsWriting() {
		t.Error("after")
	}
}

// A short text may be a part of a long one, and a record keeps nothing of that.
func TestRecordsKeepNoMemoryOfOthers(t *testing.T) {
	line := strings.Repeat("GET /buy/", 1000)
	part := line[4:8]
	h := &held{}
	q, l := pipelineTo(h, 100)
	emit(l, part, attribute.String(part, part), attribute.StringSlice("list", []string{part}),
		attribute.Map("map", attribute.Slice(part, attribute.StringValue(part))))
	if err := q.ForceFlush(context.Background()); err != nil {
		t.Fatal(err)
	}
	var within func(where string, v attribute.Value)
	check := func(where, s string) {
		at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
		if from := uintptr(unsafe.Pointer(unsafe.StringData(line))); at >= from && at < from+uintptr(len(line)) {
			t.Errorf("%s: %q is a part of the program's text", where, s)
		}
	}
	texts := 0
	within = func(where string, v attribute.Value) {
		switch v.Type() {
		case attribute.STRING:
			texts++
			check(where, v.AsString())
		case attribute.STRINGSLICE:
			for _, s := range v.AsStringSlice() {
				texts++
				check(where, s)
			}
		case attribute.SLICE:
			for _, item := range v.AsSlice() {
				within(where, item)
			}
		case attribute.MAP:
			for _, kv := range v.AsMap() {
				check(where, string(kv.Key))
				within(where, kv.Value)
			}
		}
	}
	r := h.got()[0]
	within("body", r.Body())
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		check("key", string(kv.Key))
		within("value", kv.Value)
		return true
	})
	if texts != 4 {
		t.Errorf("%d texts", texts)
	}
}

func TestSecretsInURLs(t *testing.T) {
	h := &held{}
	q, l := pipelineTo(h, -1)
	emit(l, "connected", attribute.String("dsn", "postgres://user:word@db/shop"), attribute.StringSlice("urls", []string{"https://h/?sig=1", "none"}))
	if err := q.ForceFlush(context.Background()); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	h.got()[0].WalkAttributes(func(kv attribute.KeyValue) bool {
		found[string(kv.Key)] = kv.Value.Emit()
		return true
	})
	if found["dsn"] != "postgres://db/shop" || found["urls"] != `["https://h/?sig=REDACTED","none"]` {
		t.Error(found)
	}
}
