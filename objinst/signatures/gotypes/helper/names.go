package main

import (
	"fmt"
	"go/token"
	"go/types"
	"sort"
	"strconv"
	"strings"
)

// writer writes types as the linker names them: cmd/compile/internal/types/fmt.go, LinkString (tconv2 in mode fmtTypeID).
// The i-th type parameter is written as a NUL, i and a semicolon.
type writer struct {
	strings.Builder
	unknown bool // something could not be named
	open    []types.Type
}

func (w *writer) text(t types.Type) string {
	w.Reset()
	w.write(t)
	return w.String()
}

func (w *writer) write(t types.Type) {
	t = types.Unalias(t)
	for _, outer := range w.open {
		if outer == t { // an unnamed type that contains itself, through an alias
			w.unknown = true
			return
		}
	}
	switch t := t.(type) {
	case *types.Basic:
		w.basic(t)
		return
	case *types.Named:
		w.named(t)
		return
	case *types.TypeParam:
		fmt.Fprintf(w, "\x00%d;", t.Index())
		return
	}
	w.open = append(w.open, t)
	w.literal(t)
	w.open = w.open[:len(w.open)-1]
}

func (w *writer) literal(t types.Type) {
	switch t := t.(type) {
	case *types.Pointer:
		w.WriteByte('*')
		w.write(t.Elem())
	case *types.Slice:
		w.WriteString("[]")
		w.write(t.Elem())
	case *types.Array:
		fmt.Fprintf(w, "[%d]", t.Len())
		w.write(t.Elem())
	case *types.Map:
		w.WriteString("map[")
		w.write(t.Key())
		w.WriteByte(']')
		w.write(t.Elem())
	case *types.Chan:
		w.channel(t)
	case *types.Signature:
		w.WriteString("func")
		w.signature(t)
	case *types.Interface:
		w.iface(t)
	case *types.Struct:
		w.structure(t)
	default:
		w.unknown = true
	}
}

func (w *writer) basic(t *types.Basic) {
	switch {
	case t.Kind() == types.UnsafePointer:
		w.WriteString("unsafe.Pointer")
	case t.Kind() == types.Invalid || t.Info()&types.IsUntyped != 0:
		w.unknown = true
	default:
		w.WriteString(types.Typ[t.Kind()].Name()) // uint8 for byte
	}
}

func (w *writer) named(t *types.Named) {
	name := t.Obj()
	if name.Pkg() == nil { // error, comparable
		w.WriteString(name.Name())
		return
	}
	if name.Parent() != name.Pkg().Scope() {
		w.unknown = true // a type of a function's own has a number in its name
	}
	w.WriteString(escape(name.Pkg().Path()) + "." + name.Name())
	if args := t.TypeArgs(); args.Len() > 0 {
		w.arguments(args.Len(), func(i int) types.Type { return args.At(i) })
	} else if params := t.TypeParams(); params.Len() > 0 {
		w.arguments(params.Len(), func(i int) types.Type { return params.At(i) })
	}
}

func (w *writer) arguments(n int, at func(int) types.Type) {
	w.WriteByte('[')
	for i := 0; i < n; i++ {
		if i > 0 {
			w.WriteByte(',')
		}
		w.write(at(i))
	}
	w.WriteByte(']')
}

func (w *writer) channel(t *types.Chan) {
	elem := types.Unalias(t.Elem())
	switch t.Dir() {
	case types.RecvOnly:
		w.WriteString("<-chan ")
	case types.SendOnly:
		w.WriteString("chan<- ")
	default:
		w.WriteString("chan ")
		if inner, ok := elem.(*types.Chan); ok && inner.Dir() == types.RecvOnly {
			w.WriteByte('(')
			w.write(elem)
			w.WriteByte(')')
			return
		}
	}
	w.write(elem)
}

// signature writes what stands behind func, and behind a method's name in an interface.
func (w *writer) signature(t *types.Signature) {
	w.tuple(t.Params(), t.Variadic())
	switch results := t.Results(); results.Len() {
	case 0:
	case 1:
		w.WriteByte(' ')
		w.write(results.At(0).Type())
	default:
		w.WriteByte(' ')
		w.tuple(results, false)
	}
}

func (w *writer) tuple(t *types.Tuple, variadic bool) {
	w.WriteByte('(')
	for i := 0; i < t.Len(); i++ {
		if i > 0 {
			w.WriteString(", ")
		}
		kind := t.At(i).Type()
		if variadic && i == t.Len()-1 {
			if slice, ok := types.Unalias(kind).(*types.Slice); ok {
				w.WriteString("...")
				kind = slice.Elem()
			}
		}
		w.write(kind)
	}
	w.WriteByte(')')
}

// iface writes the methods in the order of types.Sym.Less: exported ones first, then by name and package.
func (w *writer) iface(t *types.Interface) {
	if t.NumMethods() == 0 {
		w.WriteString("interface {}")
		return
	}
	methods := make([]*types.Func, t.NumMethods())
	for i := range methods {
		methods[i] = t.Method(i)
	}
	sort.Slice(methods, func(i, j int) bool {
		a, b := methods[i], methods[j]
		if a.Exported() != b.Exported() {
			return a.Exported()
		}
		if a.Name() != b.Name() {
			return a.Name() < b.Name()
		}
		return !a.Exported() && a.Pkg().Path() < b.Pkg().Path()
	})
	w.WriteString("interface {")
	for i, method := range methods {
		if i > 0 {
			w.WriteByte(';')
		}
		w.WriteByte(' ')
		w.member(method)
		w.signature(method.Type().(*types.Signature))
	}
	w.WriteString(" }")
}

// member writes a field's or method's name: with its package if it is not exported.
func (w *writer) member(object types.Object) {
	if !token.IsExported(object.Name()) && object.Pkg() != nil {
		w.WriteString(escape(object.Pkg().Path()) + ".")
	}
	w.WriteString(object.Name())
}

func (w *writer) structure(t *types.Struct) {
	w.WriteString("struct {")
	for i := 0; i < t.NumFields(); i++ {
		if i > 0 {
			w.WriteByte(';')
		}
		w.WriteByte(' ')
		field := t.Field(i)
		switch {
		case !field.Embedded():
			w.member(field)
			w.WriteByte(' ')
		case !ownName(field):
			w.member(field)
			w.WriteString(" = ")
		}
		w.write(field.Type())
		if tag := t.Tag(i); tag != "" {
			w.WriteString(" " + strconv.Quote(tag))
		}
	}
	if t.NumFields() > 0 {
		w.WriteByte(' ')
	}
	w.WriteByte('}')
}

// ownName reports whether an embedded field has the name of its type, which then is not written.
func ownName(field *types.Var) bool {
	kind := types.Unalias(field.Type())
	if pointer, ok := kind.(*types.Pointer); ok {
		kind = types.Unalias(pointer.Elem())
	}
	named, ok := kind.(*types.Named)
	if !ok || named.TypeArgs().Len() > 0 || named.Obj().Name() != field.Name() {
		return false
	}
	return field.Exported() || named.Obj().Pkg() == field.Pkg()
}

// escape writes an import path as symbols have it: cmd/internal/objabi/path.go, PathToPrefix.
func escape(path string) string {
	slash := strings.LastIndexByte(path, '/')
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c <= ' ' || (c == '.' && i > slash) || c == '%' || c == '"' || c >= 0x7F {
			fmt.Fprintf(&b, "%%%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
