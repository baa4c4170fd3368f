package span

import (
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

const (
	firstPage   = 4096 // nothing is mapped below this address: some programs keep small numbers in pointers
	maxElements = 128  // of a slice are copied into an attribute
)

// locate returns the address of a value, nil if a pointer on the way is.
//
//go:norace
//go:nocheckptr
func (v *value) locate(args, results unsafe.Pointer) unsafe.Pointer {
	p := results
	if v.Flags&inArgs != 0 {
		p = args
	}
	p = unsafe.Add(p, v.Offsets[0])
	for _, off := range v.Offsets[1:] {
		p = *(*unsafe.Pointer)(p)
		if uintptr(p) < firstPage {
			return nil
		}
		p = unsafe.Add(p, off)
	}
	return p
}

// read returns a value, and false if there is none.
//
//go:norace
//go:nocheckptr
func (v *value) read(args, results unsafe.Pointer) (attribute.Value, bool) {
	p := v.locate(args, results)
	if p == nil {
		return attribute.Value{}, false
	}
	switch kind := reflect.Kind(v.Kind); kind {
	case reflect.Interface:
		return v.dynamic(v.boxed(p))
	case reflect.Map, reflect.Chan:
		return attribute.IntValue(length(p)), true
	case reflect.Slice:
		return list(p, reflect.Kind(v.Elem), uintptr(v.ElemSize)), true
	case reflect.String:
		return attribute.StringValue(text(p)), true
	case reflect.Bool:
		return attribute.BoolValue(*(*bool)(p)), true
	case reflect.Float32, reflect.Float64:
		return attribute.Float64Value(float(p, kind)), true
	case reflect.Uint, reflect.Uint64, reflect.Uintptr:
		return unsigned(*(*uint64)(p)), true
	default:
		return attribute.Int64Value(integer(p, kind)), true
	}
}

// appendTo appends a value to a string.
//
//go:norace
//go:nocheckptr
func (v *value) appendTo(b []byte, args, results unsafe.Pointer) []byte {
	p := v.locate(args, results)
	if p == nil {
		return append(b, "<nil>"...)
	}
	switch kind := reflect.Kind(v.Kind); kind {
	case reflect.String:
		if s := short(*(*string)(p)); !mayBeURL(s) {
			return append(b, s...)
		}
		return append(b, text(p)...)
	case reflect.Bool:
		return strconv.AppendBool(b, *(*bool)(p))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return strconv.AppendInt(b, integer(p, kind), 10)
	}
	val, ok := v.read(args, results)
	if !ok {
		return append(b, "<nil>"...)
	}
	return append(b, val.Emit()...)
}

// integer reads a number that fits in an int64.
//
//go:norace
//go:nocheckptr
func integer(p unsafe.Pointer, kind reflect.Kind) int64 {
	switch kind {
	case reflect.Int8:
		return int64(*(*int8)(p))
	case reflect.Int16:
		return int64(*(*int16)(p))
	case reflect.Int32:
		return int64(*(*int32)(p))
	case reflect.Uint8:
		return int64(*(*uint8)(p))
	case reflect.Uint16:
		return int64(*(*uint16)(p))
	case reflect.Uint32:
		return int64(*(*uint32)(p))
	}
	return *(*int64)(p)
}

//go:norace
//go:nocheckptr
func float(p unsafe.Pointer, kind reflect.Kind) float64 {
	if kind == reflect.Float32 {
		return float64(*(*float32)(p))
	}
	return *(*float64)(p)
}

// unsigned returns a number as a string if it does not fit in an int64, the only integer type of attributes.
func unsigned(n uint64) attribute.Value {
	if n > math.MaxInt64 {
		return attribute.StringValue(strconv.FormatUint(n, 10))
	}
	return attribute.Int64Value(int64(n))
}

// text copies a string: its bytes may be on the stack, or in a buffer that will be reused. Secrets in URLs are left out.
//
//go:norace
//go:nocheckptr
func text(p unsafe.Pointer) string {
	return sanitize.Value(clone(*(*string)(p)))
}

// mayBeURL reports whether a string has a scheme.
//
//go:norace
func mayBeURL(s string) bool {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == ':' && s[i+1] == '/' && s[i+2] == '/' {
			return true
		}
	}
	return false
}

// short returns a string, or the beginning of a long one.
//
//go:norace
func short(s string) string {
	if len(s) <= sanitize.MaxValue {
		return s
	}
	end := sanitize.MaxValue
	for end > sanitize.MaxValue-utf8.UTFMax && s[end]&0xc0 == 0x80 { // in the middle of a character
		end--
	}
	return s[:end]
}

// clone copies a string, or the beginning of a long one.
//
//go:norace
func clone(s string) string {
	if s == "" {
		return ""
	}
	s = short(s)
	b := make([]byte, len(s))
	copy(b, s)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// length reads the number of elements of a map or channel: the first word of what it points to, in every Go version.
//
//go:norace
//go:nocheckptr
func length(p unsafe.Pointer) int {
	p = *(*unsafe.Pointer)(p)
	if uintptr(p) < firstPage {
		return 0
	}
	return *(*int)(p)
}

// list copies a slice.
//
//go:norace
//go:nocheckptr
func list(p unsafe.Pointer, elem reflect.Kind, size uintptr) attribute.Value {
	h := *(*struct {
		data unsafe.Pointer
		len  int
		cap  int
	})(p)
	n := min(h.len, maxElements)
	switch elem {
	case reflect.String:
		out := make([]string, n)
		for i := range out {
			out[i] = text(unsafe.Add(h.data, uintptr(i)*size))
		}
		return attribute.StringSliceValue(out)
	case reflect.Bool:
		out := make([]bool, n)
		for i := range out {
			out[i] = *(*bool)(unsafe.Add(h.data, uintptr(i)*size))
		}
		return attribute.BoolSliceValue(out)
	case reflect.Float32, reflect.Float64:
		out := make([]float64, n)
		for i := range out {
			out[i] = float(unsafe.Add(h.data, uintptr(i)*size), elem)
		}
		return attribute.Float64SliceValue(out)
	}
	out := make([]int64, n)
	for i := range out {
		out[i] = integer(unsafe.Add(h.data, uintptr(i)*size), elem)
	}
	return attribute.Int64SliceValue(out)
}

// boxed reads an interface as an any.
//
//go:norace
//go:nocheckptr
func (v *value) boxed(p unsafe.Pointer) any {
	if v.Flags&empty != 0 {
		return *(*any)(p)
	}
	words := *(*[2]unsafe.Pointer)(p)
	if words[0] != nil {
		words[0] = (*[2]unsafe.Pointer)(words[0])[1] // itab.Type
	}
	return *(*any)(unsafe.Pointer(&words))
}

// onStack reports whether what an interface holds is on the goroutine's stack.
func onStack(x any) bool { return rt.OnStack((*[2]unsafe.Pointer)(unsafe.Pointer(&x))[1]) }

// dynamic reads a value whose type only the interface knows. What the heap points to is in the heap; what the interface holds on
// the stack is read but never passed on.
func (v *value) dynamic(x any) (attribute.Value, bool) {
	r := reflect.ValueOf(x)
	shared := !onStack(x)
	for _, name := range v.Fields {
		if r = behind(r); r.Kind() != reflect.Struct {
			return attribute.Value{}, false
		}
		f, ok := r.Type().FieldByName(name)
		if !ok {
			return attribute.Value{}, false
		}
		var err error
		if r, err = r.FieldByIndexErr(f.Index); err != nil {
			return attribute.Value{}, false
		}
	}
	if v.Flags&count != 0 {
		return lengthOf(behind(r))
	}
	return reflected(r, shared)
}

// behind follows pointers and interfaces to the value.
func behind(r reflect.Value) reflect.Value {
	for range 8 {
		if r.Kind() != reflect.Pointer && r.Kind() != reflect.Interface {
			break
		}
		r = r.Elem()
	}
	return r
}

func lengthOf(r reflect.Value) (attribute.Value, bool) {
	switch r.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Chan:
		return attribute.IntValue(r.Len()), true
	}
	return attribute.Value{}, false
}

// reflected reads an error's text, a number, a string or a bool.
func reflected(r reflect.Value, shared bool) (attribute.Value, bool) {
	if shared && r.IsValid() && r.CanInterface() {
		if err, ok := r.Interface().(error); ok {
			return attribute.StringValue(message(err)), true
		}
	}
	r = behind(r)
	switch {
	case r.Kind() == reflect.String:
		return attribute.StringValue(sanitize.Value(clone(r.String()))), true
	case r.Kind() == reflect.Bool:
		return attribute.BoolValue(r.Bool()), true
	case r.CanInt():
		return attribute.Int64Value(r.Int()), true
	case r.CanUint():
		return unsigned(r.Uint()), true
	case r.CanFloat():
		return attribute.Float64Value(r.Float()), true
	}
	return attribute.Value{}, false
}
