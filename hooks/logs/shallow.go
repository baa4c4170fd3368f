package logs

import (
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// shallow returns a struct, or what a pointer to one leads to, in JSON's notation and with the names that JSON has for its fields, without what encoding/json
// would do for it: pointers in it are the names of their types, and so is what no method is to be called of.
func shallow(v any, form Form) string {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		r = r.Elem()
	}
	p := printer{form: form}
	p.fields(r, maxDepth)
	return sanitize.Stack(p.String())
}

type printer struct {
	strings.Builder
	form Form
}

// isFull reports whether more would be cut off anyway.
func (p *printer) isFull() bool { return p.Len() > sanitize.MaxStack }

func (p *printer) quote(text string) {
	if len(text) > sanitize.MaxStack {
		text = text[:sanitize.MaxStack]
	}
	p.WriteString(encoded(text))
}

// fields writes a struct: what is not exported, and what its tags keep out of JSON, stays inside.
func (p *printer) fields(r reflect.Value, depth int) {
	p.WriteByte('{')
	p.members(r, depth, map[string]bool{})
	p.WriteByte('}')
}

// members writes the fields of a struct. hidden: names that JSON has for another field than for one of this embedded struct.
func (p *printer) members(r reflect.Value, depth int, hidden map[string]bool) {
	fields := fieldsOf(r.Type())
	for _, f := range fields {
		if f.embedded == nil && !hidden[f.name] && !p.isFull() {
			p.comma('{')
			p.quote(f.name)
			p.WriteByte(':')
			p.value(r.Field(f.at), depth-1)
		}
	}
	below := maps.Clone(hidden)
	for name, n := range namesOf(fields) {
		below[name] = below[name] || n > 1
	}
	for _, f := range fields {
		if f.embedded != nil {
			p.members(r.Field(f.at), depth, below)
		}
	}
}

// field is one that JSON has, or a struct whose fields it has in its place.
type field struct {
	at       int
	name     string
	embedded reflect.Type
}

func fieldsOf(t reflect.Type) []field {
	var found []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() && !f.Anonymous, f.Tag.Get("json") == "-":
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct && !hides(f.Type):
			found = append(found, field{at: i, embedded: f.Type})
		case f.IsExported():
			if tag == "" {
				tag = f.Name
			}
			found = append(found, field{at: i, name: tag})
		}
	}
	return found
}

// namesOf counts names: 1 for one of an embedded struct, 2 for one that hides those of embedded structs: of the struct itself, or of several of these.
func namesOf(fields []field) map[string]int {
	names := map[string]int{}
	for _, f := range fields {
		if f.embedded != nil {
			for name := range namesOf(fieldsOf(f.embedded)) {
				names[name]++
			}
		}
	}
	for _, f := range fields {
		if f.embedded == nil {
			names[f.name] = 2
		}
	}
	return names
}

// comma separates what follows from another member before it.
func (p *printer) comma(open byte) {
	if s := p.String(); s[len(s)-1] != open {
		p.WriteByte(',')
	}
}

func (p *printer) value(r reflect.Value, depth int) {
	if r.Kind() == reflect.Interface {
		r = r.Elem()
	}
	if isNothing(r) {
		p.WriteString("null")
		return
	}
	v := r.Interface()
	switch t := r.Type(); {
	case hasText(v) && p.mayAsk(v, t):
		p.quote(fmt.Sprintf("%+v", v))
		return
	case hasText(v), hides(t):
		p.quote(typeName(v))
		return
	}
	switch r.Kind() {
	case reflect.String:
		p.quote(r.String())
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32,
		reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64:
		fmt.Fprint(p, v)
	case reflect.Struct:
		p.inside(depth, v, func() { p.fields(r, depth) })
	case reflect.Slice, reflect.Array:
		p.inside(depth, v, func() { p.list(r, depth) })
	case reflect.Map:
		p.inside(depth, v, func() { p.pairs(r, depth) })
	default:
		p.quote(typeName(v))
	}
}

// mayAsk reports whether a value inside is asked for its text.
func (p *printer) mayAsk(v any, t reflect.Type) bool {
	_, isError := v.(error)
	return p.form == Text || isError || isSafe(t)
}

func isNothing(r reflect.Value) bool {
	switch r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func, reflect.Chan, reflect.Map, reflect.Slice:
		return r.IsNil()
	}
	return false
}

// inside writes what is in a value, or its type where that is too deep.
func (p *printer) inside(depth int, v any, write func()) {
	if depth <= 0 {
		p.quote(typeName(v))
		return
	}
	write()
}

func (p *printer) list(r reflect.Value, depth int) {
	p.WriteByte('[')
	for i := 0; i < r.Len() && !p.isFull(); i++ {
		p.comma('[')
		p.value(r.Index(i), depth-1)
	}
	p.WriteByte(']')
}

func (p *printer) pairs(r reflect.Value, depth int) {
	p.WriteByte('{')
	for i := r.MapRange(); !p.isFull() && i.Next(); {
		p.comma('{')
		if key := i.Key(); isAsked(key.Interface()) && !p.mayAsk(key.Interface(), key.Type()) {
			p.quote(typeName(key.Interface()))
		} else {
			p.quote(fmt.Sprint(key.Interface()))
		}
		p.WriteByte(':')
		p.value(i.Value(), depth-1)
	}
	p.WriteByte('}')
}
