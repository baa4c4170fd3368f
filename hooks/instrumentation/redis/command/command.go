// Package command makes the spans and metrics of Redis commands, for all releases of go-redis. It imports none of them.
//
// Spans and metrics are those of the semantic conventions for Redis (https://opentelemetry.io/docs/specs/semconv/db/redis/), in their stable form.
package command

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
	"github.com/otelobj/otelobj/hooks/rt/contexts"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

const methodOther = "_OTHER"

// Semantic conventions for databases.
const (
	keySystem       = attribute.Key("db.system.name")
	keyNamespace    = attribute.Key("db.namespace")
	keyOperation    = attribute.Key("db.operation.name")
	keyBatchSize    = attribute.Key("db.operation.batch.size")
	keyQueryText    = attribute.Key("db.query.text")
	keyStatusCode   = attribute.Key("db.response.status_code")
	keyErrorType    = attribute.Key("error.type")
	keyServer       = attribute.Key("server.address")
	keyServerPort   = attribute.Key("server.port")
	keyPool         = attribute.Key("db.client.connection.pool.name")
	keyState        = attribute.Key("db.client.connection.state")
	eventException  = "exception"
	keyExcMessage   = attribute.Key("exception.message")
	keyExcType      = attribute.Key("exception.type")
	redis           = "redis"
	prefixPipeline  = "PIPELINE"
	prefixMulti     = "MULTI"
	longestPlain    = 16 // arguments that a text shows as question marks
	longestArgument = 256
)

// Cmd is what all releases have of a command.
type Cmd interface {
	Name() string
	FullName() string
	Args() []interface{}
	Err() error
}

// Client is a client of one server.
type Client struct {
	base   []attribute.KeyValue                 // of spans and metrics
	quiet  atomic.Bool                          // the program traces this client itself
	remote atomic.Pointer[[]attribute.KeyValue] // of the server that a failover client has found, nil for other clients
	server bool                                 // base has the server

	measures sync.Map // name of an operation to []metric.RecordOption, of commands that succeed; names bounds how many
}

// NewClient describes a client. addr: host and port, or the path of a socket; what go-redis makes up for clients of sentinels is no address.
func NewClient(network, addr string, db int) *Client {
	c := &Client{base: []attribute.KeyValue{keySystem.String(redis), keyNamespace.String(strconv.Itoa(db))}}
	server := address(network, addr)
	c.server = len(server) > 0
	c.base = append(c.base, server...)
	return c
}

func address(network, addr string) []attribute.KeyValue {
	if network == "unix" {
		return []attribute.KeyValue{keyServer.String(sanitize.Text(addr))}
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil
	}
	attrs := []attribute.KeyValue{keyServer.String(sanitize.Text(host))}
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, keyServerPort.Int(n))
	}
	return attrs
}

// Dialled says to what a client has connected: one that asks sentinels does not know it before.
func (c *Client) Dialled(conn net.Conn) {
	if c.server || conn == nil || conn.RemoteAddr() == nil {
		return
	}
	attrs := address(conn.RemoteAddr().Network(), conn.RemoteAddr().String())
	c.remote.Store(&attrs)
}

// Yield says that the program traces this client itself.
func (c *Client) Yield() { c.quiet.Store(true) }

// Call is a command, or several, under way. It is the context of it, too, so that one allocation does for both.
type Call struct {
	context.Context                 // with the span
	outer           context.Context // as it was without

	client *Client
	span   trace.Span
	name   string // of the operation, as metrics have it
	start  time.Time
	quiet  atomic.Bool
}

type (
	callKey  struct{}
	quietKey struct{}
)

// Value implements context.Context.
func (c *Call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer: without it, printing a context would print the call.
func (c *Call) String() string { return contexts.Name(c.Context) }

// Of returns the call that a context belongs to, nil if there is none.
func Of(ctx context.Context) *Call {
	if ctx == nil { // of a hook of the program's, which has an error to return
		return nil
	}
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}

// NoCall returns a context of a command that is not traced: it belongs to no call.
func NoCall(ctx context.Context) context.Context {
	if Of(ctx) == nil {
		return ctx
	}
	return context.WithValue(ctx, callKey{}, nil)
}

// Quiet returns a context whose commands are not traced.
func Quiet(ctx context.Context) context.Context { return contexts.Offering(quietContext{ctx}, ctx) }

// quietContext is that of what the library does on its own.
type quietContext struct{ context.Context }

// Value implements context.Context.
func (c quietContext) Value(key any) any {
	if key == (quietKey{}) {
		return true
	}
	return c.Context.Value(key)
}

// String implements fmt.Stringer.
func (c quietContext) String() string { return contexts.Name(c.Context) }

// silent reports whether a command has no span.
func (c *Client) silent(ctx context.Context) bool {
	return ctx == nil || c.quiet.Load() || ctx.Value(quietKey{}) != nil
}

// Begin starts the span of a command; nil if it has none.
func (c *Client) Begin(ctx context.Context, cmd Cmd) *Call {
	if c.silent(ctx) {
		return nil
	}
	name := operation(cmd)
	call := c.begin(ctx, name)
	if call != nil && call.span.IsRecording() {
		call.span.SetAttributes(keyOperation.String(name), keyQueryText.String(text(cmd)))
	}
	return call
}

// BeginBatch starts the span of several commands that are sent together.
func BeginBatch[C Cmd](c *Client, ctx context.Context, cmds []C) *Call {
	if c.silent(ctx) || len(cmds) == 0 {
		return nil
	}
	prefix := prefixPipeline
	if n := len(cmds); n >= 2 && cmds[0].Name() == "multi" && cmds[n-1].Name() == "exec" {
		prefix, cmds = prefixMulti, cmds[1:n-1]
	}
	name := prefix
	if same := sameOperation(cmds); same != "" {
		name += " " + same
	}
	call := c.begin(ctx, name)
	if call != nil && call.span.IsRecording() {
		call.span.SetAttributes(keyOperation.String(name))
		if len(cmds) != 1 { // one is no batch
			call.span.SetAttributes(keyBatchSize.Int(len(cmds)))
		}
		if withArguments() {
			call.span.SetAttributes(keyQueryText.String(textOf(cmds)))
		}
	}
	return call
}

func sameOperation[C Cmd](cmds []C) string {
	if len(cmds) == 0 {
		return ""
	}
	name := operation(cmds[0])
	for _, cmd := range cmds[1:] {
		if operation(cmd) != name {
			return ""
		}
	}
	return name
}

// operation returns the name of a command: with its subcommand where the library knows of it. The program may send any text as a command.
func operation(cmd Cmd) string { return sanitize.Text(cmd.FullName()) }

// begin returns nil if the library itself has sent the command.
func (c *Client) begin(ctx context.Context, name string) *Call {
	outer := ctx
	ctx = active.Context(ctx)
	parent := trace.SpanFromContext(ctx)
	if isInternal(parent) {
		return nil
	}
	call := &Call{outer: outer, client: c, name: name, start: time.Now()}
	if active.IsExcluded(parent) {
		call.Context, call.span = ctx, parent
	} else {
		call.Context, call.span = active.Start(ctx, tracerFor(parent), name, trace.SpanKindClient, call.start, c.base)
	}
	return call
}

// Unwind ends the span of a call that has not returned: something below it panics, or ends the goroutine.
func (c *Call) Unwind() {
	if c == nil || c.quiet.Load() {
		return
	}
	if c.span.IsRecording() {
		c.span.SetStatus(codes.Error, "the command has not returned")
	}
	c.finish()
}

func (c *Call) finish() {
	if !active.IsExcluded(c.span) {
		c.span.End()
	}
}

// End ends the span and records the metric. err: that of the command; failed says that it is one.
func (c *Call) End(err error, failed bool) {
	if c == nil || c.quiet.Load() {
		return
	}
	var kind, code string
	if failed && err != nil {
		kind, code = kindOf(err)
	}
	c.record(kind, code)
	if c.span.IsRecording() {
		if server := c.client.remote.Load(); server != nil {
			c.span.SetAttributes(*server...)
		}
		if kind != "" {
			message := c.messageOf(err)
			c.span.SetAttributes(keyErrorType.String(kind))
			if code != "" {
				c.span.SetAttributes(keyStatusCode.String(code))
			}
			c.span.AddEvent(eventException, trace.WithAttributes(keyExcMessage.String(message), keyExcType.String(typeName(err))))
			c.span.SetStatus(codes.Error, message)
		}
	}
	c.finish()
}

func (c *Call) record(kind, code string) {
	m := meters()
	if !m.duration.Enabled(c) {
		return
	}
	seconds := float64(time.Since(c.start)) / float64(time.Second)
	if !names.Has(c.name) {
		c.name = methodOther
	}
	server := c.client.remote.Load()
	usual := kind == "" && server == nil
	if opts, ok := c.client.measures.Load(c.name); ok && usual {
		m.duration.Record(c, seconds, opts.([]metric.RecordOption)...)
		return
	}
	attrs := make([]attribute.KeyValue, 0, 8)
	attrs = append(attrs, c.client.base...)
	if server != nil {
		attrs = append(attrs, *server...)
	}
	attrs = bounded(attrs)
	attrs = append(attrs, keyOperation.String(c.name))
	if kind != "" {
		if !kinds.Has(kind) {
			kind = methodOther
		}
		attrs = append(attrs, keyErrorType.String(kind))
		if code != "" && kind != methodOther {
			attrs = append(attrs, keyStatusCode.String(code))
		}
	}
	opts := []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}
	if usual {
		c.client.measures.Store(c.name, opts)
	}
	m.duration.Record(c, seconds, opts...)
}

// serverError is an error that a Redis server has answered with, in all releases of go-redis.
type serverError interface {
	error
	RedisError()
}

// kindOf returns the error.type of an error and, if a server has answered with it, its db.response.status_code.
func kindOf(err error) (kind, code string) {
	var answered serverError
	if errors.As(err, &answered) {
		if code = prefix(answered.Error()); code != "" {
			return code, code
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "context.DeadlineExceeded", ""
	case errors.Is(err, context.Canceled):
		return "context.Canceled", ""
	}
	return typeName(err), ""
}

// prefix returns the first word of an error of a server, which is in upper case (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
func prefix(text string) string {
	word, _, _ := strings.Cut(text, " ")
	if word == "" || len(word) > 32 || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != "" {
		return ""
	}
	return word
}

func typeName(err error) string {
	t := reflect.TypeOf(err)
	if t.PkgPath() == "" || t.Name() == "" {
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

// messageOf returns the text of an error, up to what a server repeats of the command, or the library quotes of an answer: arguments and values may be
// secrets. Of commands that are given secrets it is only the code.
func (c *Call) messageOf(err error) string {
	text := sanitize.Error(err)
	if answered := serverError(nil); errors.As(err, &answered) {
		if name, _, _ := strings.Cut(strings.ToLower(c.name), " "); secret[name] {
			return prefix(answered.Error())
		}
	}
	for _, echo := range []string{", with args beginning with", ", args:"} {
		text, _, _ = strings.Cut(text, echo)
	}
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\'' && !isApostrophe(text, i) {
			return strings.TrimRight(text[:i], " (:")
		}
	}
	return text
}

// isApostrophe reports whether a quote is one, as in: it's.
func isApostrophe(text string, at int) bool {
	after := text[at+1:]
	return at > 0 && isLetter(text[at-1]) && len(after) > 0 && isLetter(after[0]) && (len(after) == 1 || strings.IndexByte(" ,.;:", after[1]) >= 0)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// Hide takes the span of a call out of a context, because the program traces the client itself; nil if there is nothing to hide.
func Hide(ctx context.Context) context.Context {
	if ctx == nil {
		return nil
	}
	c := Of(ctx)
	if c == nil {
		return nil
	}
	c.client.Yield()
	if !trace.SpanContextFromContext(ctx).Equal(c.span.SpanContext()) { // a span itself need not be comparable
		return nil // our span has a child, which must not lose its parent
	}
	if c.quiet.Swap(true) {
		return nil
	}
	if !active.IsExcluded(c.span) {
		active.Drop(c.span) // never ended, so never exported
	}
	var outer trace.Span
	if span := trace.SpanFromContext(c.outer); span.SpanContext().IsValid() {
		outer = span
	}
	return trace.ContextWithSpan(ctx, outer)
}
