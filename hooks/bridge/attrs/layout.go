package attrs

import "reflect"

// Same reports whether two types have the same layout: values of one may be read as values of the other. Names of types do not count, and
// neither do the methods of interfaces: only their dynamic types tell whether a value of one makes sense in the other.
func Same(a, b reflect.Type) bool { return same(a, b, map[[2]reflect.Type]bool{}) }

func same(a, b reflect.Type, seen map[[2]reflect.Type]bool) bool {
	pair := [2]reflect.Type{a, b}
	if a == b || seen[pair] {
		return true
	}
	seen[pair] = true
	if a.Kind() != b.Kind() || a.Size() != b.Size() || a.Align() != b.Align() {
		return false
	}
	switch a.Kind() {
	case reflect.Array, reflect.Slice, reflect.Pointer:
		return same(a.Elem(), b.Elem(), seen)
	case reflect.Struct:
		if a.NumField() != b.NumField() {
			return false
		}
		for i := range a.NumField() {
			f, g := a.Field(i), b.Field(i)
			if f.Name != g.Name || f.Offset != g.Offset || !same(f.Type, g.Type, seen) {
				return false
			}
		}
		return true
	case reflect.Map, reflect.Chan, reflect.Func:
		return false // not needed
	default:
		return true
	}
}
