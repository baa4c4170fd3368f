package slog

import (
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"

	"go.opentelemetry.io/contrib/bridges/otelslog"

	"github.com/otelobj/otelobj/hooks/logs"
)

// Loggers that With and WithGroup have made, and the bridge's handler with the same attributes. They are known by their address, and forgotten when the
// program has forgotten them.
var chains sync.Map // uintptr to *chain

type chain struct {
	of      weak.Pointer[slog.Logger]
	handler slog.Handler
}

// ready says that this package is initialised. Loggers may be made before, in init functions of the program's; their attributes wait.
var (
	ready   atomic.Bool
	pending struct {
		sync.Mutex
		steps []step
	}
)

// step is a call of With or WithGroup.
type step struct {
	from, made *slog.Logger
	attrs      []slog.Attr
	group      string
}

func init() {
	ready.Store(true)
	pending.Lock()
	defer pending.Unlock()
	for _, s := range pending.steps {
		if h := s.handler(); h != nil {
			keep(s.made, h)
		}
	}
	pending.steps = nil
}

// base is the bridge's handler of loggers without attributes.
var base = sync.OnceValue(func() slog.Handler { return otelslog.NewHandler(scope) })

// chainOf returns the bridge's handler for a logger.
func chainOf(l *slog.Logger) slog.Handler {
	if c, ok := chains.Load(uintptr(unsafe.Pointer(l))); ok && c.(*chain).of.Value() == l {
		return c.(*chain).handler
	}
	return base()
}

func keep(l *slog.Logger, h slog.Handler) {
	key := uintptr(unsafe.Pointer(l))
	c := &chain{weak.Make(l), h}
	chains.Store(key, c)
	runtime.AddCleanup(l, func(c *chain) { chains.CompareAndDelete(key, c) }, c)
}

// handler returns the bridge's handler after the step, which asks the attributes for their values; nil where no record will ever come.
func (s step) handler() slog.Handler {
	of := s.from.Handler()
	if of == slog.DiscardHandler {
		return nil
	}
	h := chainOf(s.from)
	if s.group != "" {
		return h.WithGroup(s.group)
	}
	logs.Guard(func() { h = h.WithAttrs(shownAttrs(s.attrs, formOf(of))) })
	return h
}

// BeforeWith runs before (*slog.Logger).With(args...). What the arguments are worth is asked now, as the handlers of the standard library do: they may
// change later.
func BeforeWith(call HookContext, l *slog.Logger, args []any) {
	if l != nil && len(args) != 0 {
		before(call, step{from: l, attrs: attrsOf(args)})
	}
}

// attrsOf pairs names and values as slog does.
func attrsOf(args []any) []slog.Attr {
	const badKey = "!BADKEY"
	attrs := make([]slog.Attr, 0, len(args))
	for i := 0; i < len(args); i++ {
		switch x := args[i].(type) {
		case slog.Attr:
			attrs = append(attrs, x)
		case string:
			if i++; i < len(args) {
				attrs = append(attrs, slog.Any(x, args[i]))
			} else {
				attrs = append(attrs, slog.String(badKey, x))
			}
		default:
			attrs = append(attrs, slog.Any(badKey, x))
		}
	}
	return attrs
}

// BeforeWithGroup runs before (*slog.Logger).WithGroup(name).
func BeforeWithGroup(call HookContext, l *slog.Logger, name string) {
	if l != nil && name != "" {
		before(call, step{from: l, group: string([]byte(name))})
	}
}

func before(call HookContext, s step) {
	switch {
	case !ready.Load():
		call.SetData(s)
	case records.IsOn():
		if h := s.handler(); h != nil {
			call.SetData(h)
		}
	}
}

// AfterWith runs when either has returned.
func AfterWith(call HookContext, made *slog.Logger) {
	if made == nil {
		return
	}
	switch data := call.GetData().(type) {
	case slog.Handler:
		keep(made, data)
	case step:
		data.made = made
		pending.Lock()
		defer pending.Unlock()
		pending.steps = append(pending.steps, data)
	}
}
