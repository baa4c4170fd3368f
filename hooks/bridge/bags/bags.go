// Package bags bridges the baggage of contexts: that of the program's key is the only truth, as it is for spans.
//
// Baggage is converted member by member, through what the program's API offers in all releases: it parses text. What that means has changed. At first
// values stay as they are written, percent-encoded; then they are decoded, and refused if that brings up a character that must be encoded; in
// later releases they may be any text. So what the private API has set is remembered beside what the program sees of it, and is found again for as long as
// the program has not set anything else.
package bags

import (
	"context"
	"net/url"
	"reflect"
	"strings"
	"unsafe"

	"go.opentelemetry.io/otel/baggage"

	private "otelobj.private/go.opentelemetry.io/otel/baggage"

	"github.com/otelobj/otelobj/hooks/rt"
)

func init() {
	if rt.Linked() {
		Connect()
	}
}

// Connect makes the private API answer for contexts by what the program's key says.
func Connect() {
	private.SetContextBridge(&private.ContextBridge{Set: set, Get: get})
}

// memory is the value under memoryKey: what the private API has set, and what the program sees of it.
type memory struct {
	private private.Baggage
	program baggage.Baggage
}

type memoryKey struct{}

func set(parent context.Context, b private.Baggage) context.Context {
	if b.Len() == 0 {
		return baggage.ContextWithoutBaggage(parent)
	}
	seen := Program(b)
	ctx := baggage.ContextWithBaggage(parent, seen)
	if !isMap {
		return ctx
	}
	return context.WithValue(ctx, memoryKey{}, &memory{b, seen})
}

func get(ctx context.Context) private.Baggage {
	seen := baggage.FromContext(ctx)
	if id := identity(&seen); id != nil {
		if m, ok := ctx.Value(memoryKey{}).(*memory); ok && identity(&m.program) == id {
			return m.private
		}
	}
	return Private(seen)
}

// isMap: baggage is a map that nobody changes, so that the map's address tells whether it is the same.
var isMap = func() bool {
	t := reflect.TypeFor[baggage.Baggage]()
	return t.Kind() == reflect.Struct && t.NumField() == 1 && t.Field(0).Type.Kind() == reflect.Map
}()

func identity(b *baggage.Baggage) unsafe.Pointer {
	if !isMap {
		return nil
	}
	return *(*unsafe.Pointer)(unsafe.Pointer(b))
}

// empty returns baggage without members that has an identity.
func empty() baggage.Baggage {
	b, err := baggage.Parse("k=v")
	if err != nil {
		return b
	}
	return b.DeleteMember("k")
}

// decodesValues and decodesProperties tell whether the program's API decodes what it parses.
var decodesValues, decodesProperties = func() (values, properties bool) {
	b, err := baggage.Parse("k=%21;p=%21")
	if err != nil {
		return false, false
	}
	m := b.Member("k")
	values = m.Value() == "!"
	for _, p := range m.Properties() {
		v, _ := p.Value()
		properties = v == "!"
	}
	return values, properties
}()

// Private converts baggage of the program's. A member that the private API does not take is left out.
func Private(b baggage.Baggage) private.Baggage {
	if b.Len() == 0 {
		return private.Baggage{}
	}
	var made private.Baggage
	for _, m := range b.Members() {
		var properties []private.Property
		for _, p := range m.Properties() {
			if made, err := privateProperty(p); err == nil {
				properties = append(properties, made)
			}
		}
		if member, err := private.NewMemberRaw(m.Key(), decoded(m.Value(), decodesValues), properties...); err == nil {
			if with, err := made.SetMember(member); err == nil {
				made = with
			}
		}
	}
	return made
}

func privateProperty(p baggage.Property) (private.Property, error) {
	if v, ok := p.Value(); ok {
		return private.NewKeyValuePropertyRaw(p.Key(), decoded(v, decodesProperties))
	}
	return private.NewKeyProperty(p.Key())
}

// decoded returns a value as it is meant. already: it is.
func decoded(value string, already bool) string {
	if !already {
		if v, err := url.PathUnescape(value); err == nil {
			return v
		}
	}
	return value
}

// Program converts baggage of the private API. A member that the program's API does not take is left out.
func Program(b private.Baggage) baggage.Baggage {
	if b.Len() == 0 {
		return baggage.Baggage{}
	}
	var texts []string
	for _, m := range b.Members() {
		texts = append(texts, text(m))
	}
	made, err := baggage.Parse(strings.Join(texts, ","))
	if err == nil {
		return made
	}
	var good []string // one that is not taken must not cost the others
	made = empty()
	for _, t := range texts {
		if with, err := baggage.Parse(strings.Join(append(good, t), ",")); err == nil {
			good, made = append(good, t), with
		}
	}
	return made
}

// text is a member in the form of the W3C's header. What the W3C lets stand in values stands, since early releases do not decode them; all else is
// percent-encoded, and what a release might decode.
func text(m private.Member) string {
	var b strings.Builder
	b.WriteString(m.Key())
	b.WriteByte('=')
	encode(&b, m.Value())
	for _, p := range m.Properties() {
		b.WriteByte(';')
		b.WriteString(p.Key())
		if v, ok := p.Value(); ok {
			b.WriteByte('=')
			encode(&b, v)
		}
	}
	return b.String()
}

func encode(b *strings.Builder, value string) {
	const hex = "0123456789ABCDEF"
	for _, c := range []byte(value) {
		if '!' <= c && c <= '~' && strings.IndexByte(`",;\%+`, c) < 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
}
