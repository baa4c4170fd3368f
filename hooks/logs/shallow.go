package logs

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// shallow returns a struct, or what a pointer to one leads to, in JSON's notation and with the names that JSON has for its fields, without what encoding/json
// would do for it: pointers in it are the names of their types, and only what fmt asks for its text is asked.
func shallow(v any) string {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		r = r.Elem()
	}
	var p printer
	p.fields(r, maxDepth)
	return sanitize.Stack(p.String())
}

type printer struct{ strings.Builder }

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
	p.members(r, depth)
	p.WriteByte('}')
}

func (p *printer) members(r reflect.Value, depth int) {
	t := r.Type()
	for i := 0; i < t.NumField() && !p.isFull(); i++ {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() && !f.Anonymous, f.Tag.Get("json") == "-":
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct:
			p.members(r.Field(i), depth)
		case f.IsExported():
			if tag == "" {
				tag = f.Name
			}
			p.comma('{')
			p.quote(tag)
			p.WriteByte(':')
			p.value(r.Field(i), depth-1)
		}
	}
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
	if !r.IsValid() {
		p.WriteString("null")
		return
	}
	v := r.Interface()
	if hasText(v) {
		p.quote(fmt.Sprintf("%+v", v))
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
	case reflect.Pointer, reflect.Func, reflect.Chan:
		if r.IsNil() {
			p.WriteString("null")
			return
		}
		p.quote(typeName(v))
	default:
		p.quote(typeName(v))
	}
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
		p.quote(fmt.Sprint(i.Key().Interface()))
		p.WriteByte(':')
		p.value(i.Value(), depth-1)
	}
	p.WriteByte('}')
}
