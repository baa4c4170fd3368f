package attrs

import (
	"reflect"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	private "otelobj.private/go.opentelemetry.io/otel/attribute"
)

// all returns a value of each kind that the program's API has.
func all() []attribute.KeyValue {
	kvs := []attribute.KeyValue{
		attribute.Bool("bool", true), attribute.Int64("int64", -1), attribute.Float64("float64", 1.5), attribute.String("string", "s"),
		attribute.BoolSlice("bools", []bool{true, false}), attribute.Int64Slice("ints", []int64{1, -2}), attribute.IntSlice("none", nil),
		attribute.Float64Slice("floats", []float64{1.5}), attribute.StringSlice("strings", []string{"a", "", "c", "d", "e"}), {Key: "empty"},
	}
	if makeBytes != nil {
		kvs = append(kvs, attribute.KeyValue{Key: "bytes", Value: makeBytes([]byte{0, 255})})
		kvs = append(kvs, attribute.KeyValue{Key: "slice", Value: makeSlice(attribute.StringValue("s"), makeSlice(attribute.Int64Value(1)))})
	}
	if makeMap != nil {
		kvs = append(kvs, attribute.KeyValue{Key: "map", Value: makeMap(attribute.String("k", "v"), attribute.StringSlice("l", []string{"x"}))})
	}
	return kvs
}

func TestEachKindThereAndBack(t *testing.T) {
	for _, kv := range all() {
		there := Private([]attribute.KeyValue{kv})
		if got, want := there[0].Value.Type().String(), kv.Value.Type().String(); got != want && kv.Key != "empty" {
			t.Errorf("%s is %s, not %s", kv.Key, got, want)
		}
		if kv.Key != "slice" && kv.Key != "map" && kv.Key != "empty" { // which hold values of the API, or are told by a type of its own
			if got, want := there[0].Value.AsInterface(), kv.Value.AsInterface(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s is %v, not %v", kv.Key, got, want)
			}
		}
		if back := Program(there); !reflect.DeepEqual(back[0].Value.AsInterface(), kv.Value.AsInterface()) || back[0].Key != kv.Key {
			t.Errorf("%s came back as %v", kv.Key, back)
		}
		set := attribute.NewSet(kv)
		if made := PrivateSet(set); made.Len() != 1 || !reflect.DeepEqual(ProgramSet(made), set) {
			t.Errorf("a set of %s came back as %v", kv.Key, ProgramSet(made))
		}
	}
}

// What the program's API has no kind for becomes text, and nothing panics.
func TestNewerKinds(t *testing.T) {
	kvs := []private.KeyValue{
		private.ByteSlice("bytes", []byte("b")), {Key: "slice", Value: private.SliceValue(private.IntValue(1), private.StringValue("x"))},
		{Key: "map", Value: private.MapValue(private.Int("k", 1))},
	}
	for i, made := range []bool{makeBytes != nil, makeSlice != nil, makeMap != nil} {
		got := Program(kvs)[i]
		if made != (got.Value.Type().String() == kvs[i].Value.Type().String()) {
			t.Errorf("%s became %s", kvs[i].Key, got.Value.Type())
		}
		if !made && (got.Value.Type() != attribute.STRING || got.Value.AsString() != kvs[i].Value.String()) {
			t.Errorf("%s became %q", kvs[i].Key, got.Value.AsString())
		}
	}
}

// Values that may be reinterpreted are not copied: the slice is the same. From 1.11 on that is all but what holds values of the API.
func TestWhatIsReinterpreted(t *testing.T) {
	kvs := all()[:4]
	if there := Private(kvs); reflect.ValueOf(there).Pointer() != reflect.ValueOf(kvs).Pointer() {
		t.Error("scalars were copied")
	}
	arrays := reflect.ValueOf(attribute.StringSliceValue([]string{"a"})).FieldByName("slice").Elem().Kind() == reflect.Array
	if toPrivate[attribute.STRINGSLICE] != arrays || toProgram[attribute.STRINGSLICE] != arrays {
		t.Errorf("slices are arrays: %v; reinterpreted: %v, %v", arrays, toPrivate[attribute.STRINGSLICE], toProgram[attribute.STRINGSLICE])
	}
	for _, kind := range []private.Type{private.SLICE, private.MAP} {
		if toPrivate[kind] || toProgram[kind] {
			t.Errorf("%s is reinterpreted", kind)
		}
	}
	if Private(nil) != nil || len(Private([]attribute.KeyValue{})) != 0 {
		t.Error("nothing became something")
	}
}
