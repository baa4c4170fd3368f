package slog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// kept is a processor that keeps records.
type kept struct {
	sync.Mutex
	records []string
}

func (*kept) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*kept) Shutdown(context.Context) error                         { return nil }
func (*kept) ForceFlush(context.Context) error                       { return nil }

func (k *kept) OnEmit(_ context.Context, r *sdklog.Record) error {
	text := fmt.Sprint(r.Severity(), " ", r.SeverityText(), " ", r.Body().String(), " ", r.InstrumentationScope().Name)
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		text += fmt.Sprint(" ", kv.Key, "=", kv.Value.Type(), ":", kv.Value.String())
		return true
	})
	k.Lock()
	defer k.Unlock()
	k.records = append(k.records, text)
	return nil
}

// sent returns the processor of the global provider, empty: loggers follow the first one only.
func sent() *kept {
	all.records = nil
	provide()
	return &all
}

var (
	all     kept
	provide = sync.OnceFunc(func() { otel.SetLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(&all))) })
)

// hooked does with a logger what a linked program does: the hooks run around each call.
type hooked struct{ l *slog.Logger }

func (h hooked) With(args ...any) logger {
	call := hooktest.New(h.l, args)
	BeforeWith(call, h.l, args)
	made := h.l.With(args...)
	AfterWith(call, made)
	return hooked{made}
}

func (h hooked) WithGroup(name string) logger {
	call := hooktest.New(h.l, name)
	BeforeWithGroup(call, h.l, name)
	made := h.l.WithGroup(name)
	AfterWith(call, made)
	return hooked{made}
}

func (h hooked) Log(level slog.Level, msg string, args ...any) {
	ctx := context.Background()
	call := hooktest.New(h.l, ctx, level, msg, args)
	BeforeLog(call, h.l, ctx, level, msg, args)
	call.GetParam(0).(*slog.Logger).Log(ctx, level, msg, args...)
}

type byHand struct{ l *slog.Logger }

func (b byHand) With(args ...any) logger      { return byHand{b.l.With(args...)} }
func (b byHand) WithGroup(name string) logger { return byHand{b.l.WithGroup(name)} }
func (b byHand) Log(level slog.Level, msg string, args ...any) {
	b.l.Log(context.Background(), level, msg, args...)
}

type logger interface {
	With(args ...any) logger
	WithGroup(name string) logger
	Log(level slog.Level, msg string, args ...any)
}

type valuer struct{ n int }

func (v valuer) LogValue() slog.Value { return slog.GroupValue(slog.Int("n", v.n)) }

// values are arguments of many kinds.
func values(r *rand.Rand) []any {
	args := []any{
		"s", "text", "i", 7, "u", uint64(1) << 63, "f", 1.5, "b", true, "d", time.Second, "t", time.Unix(1, 2), "nil", nil, "err", errors.New("sold"),
		"map", map[string]int{"a": 1}, "list", []any{1, "x", nil}, "valuer", valuer{3}, slog.Group("in", "x", 1, slog.Group("deep", "y", 2)), slog.Group("", "inline", 1),
		slog.Group("empty"), "bytes", []byte{1, 2}, "missing",
	}
	from := r.IntN(len(args))
	return args[from : from+r.IntN(len(args)-from+1)]
}

// What a linked program sends is what it sends with the official bridge in the place of its handler, but for levels that its own handler does not want.
func TestAgainstTheBridge(t *testing.T) {
	ours, theirs := sent(), &kept{}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(theirs))
	bridge := otelslog.NewHandler(scope, otelslog.WithLoggerProvider(provider))
	for seed := range uint64(300) {
		var out bytes.Buffer
		run := func(l logger) {
			r := rand.New(rand.NewPCG(seed, 0))
			for range 1 + r.IntN(6) {
				switch r.IntN(4) {
				case 0:
					l = l.With(values(r)...)
				case 1:
					l = l.WithGroup([]string{"g", "h", ""}[r.IntN(3)])
				default:
					l.Log(slog.Level(4*r.IntN(4)), fmt.Sprint("message ", seed), values(r)...)
				}
			}
		}
		run(hooked{slog.New(slog.NewJSONHandler(&out, nil))})
		run(byHand{slog.New(bridge)})
		if fmt.Sprint(ours.records) != fmt.Sprint(theirs.records) {
			t.Fatalf("seed %d:\n%q\n%q", seed, ours.records, theirs.records)
		}
	}
	if len(ours.records) < 300 {
		t.Error(len(ours.records), "records")
	}
}

// A logger that is gone is forgotten.
func TestLoggersAreForgotten(t *testing.T) {
	sent()
	const most = 100_000
	base := hooked{slog.New(slog.DiscardHandler)}
	for i := range most {
		base.With("i", i)
	}
	n := 0
	chains.Range(func(any, any) bool { n++; return true })
	if n == most {
		t.Error("all are kept")
	}
}
