// Package attrs converts attributes between the program's API and the private one.
//
// A KeyValue has the same layout in all releases, so a slice of them is reinterpreted, not copied, where every value may be: scalars and
// strings always, slices where both copies keep them the same way (pointers up to 1.10, arrays since). What has a type of the API inside, lists and
// maps of values, is made anew. What may be reinterpreted is tried at start, with a value of each kind.
package attrs

import (
	"reflect"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"

	private "otelobj.private/go.opentelemetry.io/otel/attribute"
)

// kinds is more than there are types of values.
const kinds = 32

// toPrivate and toProgram tell by a value's type whether it may be reinterpreted.
var toPrivate, toProgram [kinds]bool

func init() {
	if !Same(reflect.TypeFor[attribute.KeyValue](), reflect.TypeFor[private.KeyValue]()) {
		return // every value is converted
	}
	for _, v := range samples() {
		try(&toPrivate, int(v.Type()), func() bool {
			p := asPrivate(v)
			return p.AsString() == v.AsString() && reflect.DeepEqual(p.AsInterface(), v.AsInterface())
		})
	}
	for _, v := range privateSamples() {
		try(&toProgram, int(v.Type()), func() bool {
			p := asProgram(v)
			return p.AsString() == v.AsString() && reflect.DeepEqual(p.AsInterface(), v.AsInterface())
		})
	}
}

// try notes for a type whether same is true, and does not panic.
func try(table *[kinds]bool, kind int, same func() bool) {
	defer func() { table[kind] = recover() == nil && table[kind] }()
	table[kind] = same()
}

func asPrivate(v attribute.Value) private.Value { return *(*private.Value)(unsafe.Pointer(&v)) }

func asProgram(v private.Value) attribute.Value { return *(*attribute.Value)(unsafe.Pointer(&v)) }

// samples has values that show whether a kind means the same on the other side. Kinds that are not here are never reinterpreted.
func samples() []attribute.Value {
	return append([]attribute.Value{
		{}, attribute.BoolValue(true), attribute.Int64Value(-1), attribute.Float64Value(1.5), attribute.StringValue("s"),
		attribute.BoolSliceValue([]bool{true, false}), attribute.Int64SliceValue([]int64{1, 2}),
		attribute.Float64SliceValue([]float64{1, 2}), attribute.StringSliceValue([]string{"a", "b"}),
	}, newerSamples()...)
}

func privateSamples() []private.Value {
	return []private.Value{
		{}, private.BoolValue(true), private.Int64Value(-1), private.Float64Value(1.5), private.StringValue("s"),
		private.BoolSliceValue([]bool{true, false}), private.Int64SliceValue([]int64{1, 2}),
		private.Float64SliceValue([]float64{1, 2}), private.StringSliceValue([]string{"a", "b"}), private.ByteSliceValue([]byte("b")),
	}
}

// Private converts the program's attributes. The result may share memory with them.
func Private(kvs []attribute.KeyValue) []private.KeyValue {
	for i := range kvs {
		if t := uint(kvs[i].Value.Type()); t >= kinds || !toPrivate[t] {
			made := make([]private.KeyValue, len(kvs))
			for i, kv := range kvs {
				made[i] = private.KeyValue{Key: private.Key(kv.Key), Value: PrivateValue(kv.Value)}
			}
			return made
		}
	}
	return unsafe.Slice((*private.KeyValue)(unsafe.Pointer(unsafe.SliceData(kvs))), len(kvs))
}

// Program converts attributes of the private API. The result may share memory with them.
func Program(kvs []private.KeyValue) []attribute.KeyValue {
	for i := range kvs {
		if t := uint(kvs[i].Value.Type()); t >= kinds || !toProgram[t] {
			made := make([]attribute.KeyValue, len(kvs))
			for i, kv := range kvs {
				made[i] = attribute.KeyValue{Key: attribute.Key(kv.Key), Value: ProgramValue(kv.Value)}
			}
			return made
		}
	}
	return unsafe.Slice((*attribute.KeyValue)(unsafe.Pointer(unsafe.SliceData(kvs))), len(kvs))
}

// PrivateValue converts a value of the program's.
func PrivateValue(v attribute.Value) private.Value {
	switch v.Type() {
	case attribute.BOOL:
		return private.BoolValue(v.AsBool())
	case attribute.INT64:
		return private.Int64Value(v.AsInt64())
	case attribute.FLOAT64:
		return private.Float64Value(v.AsFloat64())
	case attribute.STRING:
		return private.StringValue(v.AsString())
	case attribute.BOOLSLICE:
		return private.BoolSliceValue(v.AsBoolSlice())
	case attribute.INT64SLICE:
		return private.Int64SliceValue(v.AsInt64Slice())
	case attribute.FLOAT64SLICE:
		return private.Float64SliceValue(v.AsFloat64Slice())
	case attribute.STRINGSLICE:
		return private.StringSliceValue(v.AsStringSlice())
	case attribute.INVALID:
		return private.Value{}
	}
	// Kinds of newer releases, known by their names and methods.
	switch kind := v.Type().String(); v := any(v).(type) {
	case interface{ AsByteSlice() []byte }:
		if kind == private.BYTESLICE.String() {
			return private.ByteSliceValue(v.AsByteSlice())
		}
		if m, ok := v.(interface{ AsMap() []attribute.KeyValue }); ok && kind == private.MAP.String() {
			return private.MapValue(Private(m.AsMap())...)
		}
		if s, ok := v.(interface{ AsSlice() []attribute.Value }); ok && kind == private.SLICE.String() {
			values := s.AsSlice()
			made := make([]private.Value, len(values))
			for i := range values {
				made[i] = PrivateValue(values[i])
			}
			return private.SliceValue(made...)
		}
	}
	return private.StringValue(v.Emit())
}

// ProgramValue converts a value of the private API. What the program's API has no kind for becomes the text that exporters would write.
func ProgramValue(v private.Value) attribute.Value {
	switch v.Type() {
	case private.BOOL:
		return attribute.BoolValue(v.AsBool())
	case private.INT64:
		return attribute.Int64Value(v.AsInt64())
	case private.FLOAT64:
		return attribute.Float64Value(v.AsFloat64())
	case private.STRING:
		return attribute.StringValue(v.AsString())
	case private.BOOLSLICE:
		return attribute.BoolSliceValue(v.AsBoolSlice())
	case private.INT64SLICE:
		return attribute.Int64SliceValue(v.AsInt64Slice())
	case private.FLOAT64SLICE:
		return attribute.Float64SliceValue(v.AsFloat64Slice())
	case private.STRINGSLICE:
		return attribute.StringSliceValue(v.AsStringSlice())
	case private.EMPTY:
		return attribute.Value{}
	case private.BYTESLICE:
		if makeBytes != nil {
			return makeBytes(v.AsByteSlice())
		}
	case private.SLICE:
		if makeSlice != nil {
			values := v.AsSlice()
			made := make([]attribute.Value, len(values))
			for i := range values {
				made[i] = ProgramValue(values[i])
			}
			return makeSlice(made...)
		}
	case private.MAP:
		if makeMap != nil {
			return makeMap(Program(v.AsMap())...)
		}
	}
	return attribute.StringValue(v.String())
}

// Constructors that newer releases have; nil in older ones.
var (
	makeBytes, makeSlice = values()
	makeMap              = maps()
)

func newerSamples() []attribute.Value {
	if makeBytes == nil {
		return nil
	}
	return []attribute.Value{makeBytes([]byte("b"))}
}

// PrivateSet converts a set of the program's.
func PrivateSet(set attribute.Set) private.Set {
	if set.Len() == 0 {
		return private.Set{}
	}
	return private.NewSet(Private(set.ToSlice())...)
}

// ProgramSet converts a set of the private API.
func ProgramSet(set private.Set) attribute.Set {
	if set.Len() == 0 {
		return *attribute.EmptySet()
	}
	return attribute.NewSet(Program(set.ToSlice())...)
}
