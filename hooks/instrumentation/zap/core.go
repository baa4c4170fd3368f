package zap

import (
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/contrib/bridges/otelzap"
	"go.uber.org/zap/zapcore"

	"github.com/otelobj/otelobj/hooks/logs"
)

var records = logs.New(scope)

// Around returns the core for a new logger, nil if it is to have the one that the program gives it.
func Around(c zapcore.Core) zapcore.Core {
	if c == nil { // zap makes a logger that writes nothing
		return nil
	}
	if _, ours := c.(*core); ours {
		return nil
	}
	return newCore(c, &sender{})
}

// core stands around the core of a logger.
type core struct {
	zapcore.Core // the program's
	exporter     exporter
}

func newCore(c zapcore.Core, s *sender) *core { return &core{c, exporter{s}} }

// Level is what zapcore.LevelOf asks for.
func (c *core) Level() zapcore.Level { return zapcore.LevelOf(c.Core) }

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return newCore(c.Core.With(fields), c.exporter.with(fields))
}

// Check implements zapcore.Core.
func (c *core) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	before := len(coresOf(checked))
	checked = c.Core.Check(entry, checked)
	took := coresOf(checked)
	if len(took) <= before || !ready.Load() || slices.ContainsFunc(took[before:], sends) || !records.IsOn() {
		return checked
	}
	return checked.AddCore(entry, &c.exporter)
}

// Write implements zapcore.Core. A logger writes to the cores that Check has added.
func (c *core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	err := c.Core.Write(entry, fields)
	if ready.Load() && records.IsOn() && !logs.IsWriting() {
		_ = c.exporter.Write(entry, fields)
	}
	return err
}

// exporter sends entries.
type exporter struct{ *sender }

// Enabled implements zapcore.Core.
func (*exporter) Enabled(zapcore.Level) bool { return true }

// With implements zapcore.Core.
func (e *exporter) With(fields []zapcore.Field) zapcore.Core { return &exporter{e.with(fields)} }

// Check implements zapcore.Core.
func (e *exporter) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(entry, e)
}

// Write implements zapcore.Core.
func (e *exporter) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	given := contextOf(fields)
	fields = slices.DeleteFunc(slices.Clone(fields), isOwn)
	if given == nil {
		given = context.Background()
	}
	ctx := zapcore.Field{Key: "context", Type: zapcore.SkipType, Interface: logs.Context(given)} // of which the bridge takes the last
	if !e.hasContext || contextOf(fields) != nil {
		fields = append(fields, ctx)
	}
	if !logs.Guard(func() { _ = e.core().Write(entry, shown(fields)) }) { // without the fields, one of which panics
		logs.Guard(func() { _ = e.first().core().Write(entry, []zapcore.Field{ctx}) })
	}
	return nil
}

// Sync implements zapcore.Core.
func (*exporter) Sync() error { return nil }

// sender is a core of the bridge. As long as packages are being initialised it only remembers its fields; from then on their values are taken at once, since
// they may change.
type sender struct {
	parent     *sender
	fields     []zapcore.Field
	hasContext bool // a field is a context, which the bridge takes
	hasIDs     bool // a field has the name of the trace's ID
	once       sync.Once
	made       zapcore.Core
}

func (s *sender) with(fields []zapcore.Field) *sender {
	child := &sender{
		parent:     s,
		fields:     slices.Clone(fields),
		hasContext: s.hasContext || contextOf(fields) != nil,
		hasIDs:     s.hasIDs || slices.ContainsFunc(fields, isTraceID),
	}
	if ready.Load() && records.IsOn() {
		logs.Guard(func() { child.core() })
	}
	return child
}

func (s *sender) core() zapcore.Core {
	s.once.Do(func() {
		if s.parent == nil {
			s.made = otelzap.NewCore(scope)
		} else {
			s.made = s.parent.core() // if one of the fields panics
			logs.Guard(func() { s.made = s.made.With(shown(s.fields)) })
			s.fields = nil
		}
	})
	return s.made
}

// first returns the sender of the logger that was made without fields.
func (s *sender) first() *sender {
	for s.parent != nil {
		s = s.parent
	}
	return s
}

// contextOf returns the last context among fields, nil if there is none.
func contextOf(fields []zapcore.Field) (found context.Context) {
	for i := range fields {
		if ctx, ok := fields[i].Interface.(context.Context); ok {
			found = ctx
		}
	}
	return found
}
