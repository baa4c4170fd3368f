package span

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

type id string

type inner struct {
	n    int
	text string
}

// area stands for the arguments of a call.
type area struct {
	i8     int8
	u16    uint16
	u64    uint64
	f32    float32
	b      bool
	s      id
	p      *inner
	pp     **inner
	low    uintptr // no pointer, though it is where one could be
	texts  []id
	bools  []bool
	floats []float32
	ints   []int16
	none   []int
	m      map[string]int
	nilm   map[string]int
	c      chan int
	a      any
	nila   any
	e      error
	st     fmt.Stringer
}

// at describes a field: the link step does the same from type descriptors.
func at(field string, behind ...uintptr) value {
	f, ok := reflect.TypeFor[area]().FieldByName(field)
	if !ok {
		panic(field)
	}
	v := value{Offsets: []int32{int32(f.Offset)}, Kind: uint32(f.Type.Kind()), Flags: inArgs}
	for _, off := range behind {
		v.Offsets = append(v.Offsets, int32(off))
	}
	switch f.Type.Kind() {
	case reflect.Slice:
		v.Elem, v.ElemSize = uint32(f.Type.Elem().Kind()), uint32(f.Type.Elem().Size())
	case reflect.Interface:
		if f.Type.NumMethod() == 0 {
			v.Flags |= empty
		}
	}
	return v
}

func (v value) of(kind reflect.Kind) value {
	v.Kind = uint32(kind)
	return v
}

func (v value) fields(names ...string) value {
	v.Fields = names
	return v
}

func (v value) counted() value {
	v.Flags |= count
	return v
}

type stringer struct{}

func (stringer) String() string { panic("no method of the program's is called") }

type broken struct{}

func (*broken) Error() string { panic("broken") }

type coded struct {
	Code *int
	*inner
}

func (coded) Error() string { return "coded" }

func TestRead(t *testing.T) {
	in := &inner{7, "text"}
	a := &area{
		i8: -1, u16: 60000, u64: 1 << 63, f32: 0.5, b: true, s: "id", p: in, pp: &in, low: 8, texts: []id{"x", ""}, bools: []bool{true},
		floats: []float32{1.5}, ints: []int16{-2, 2}, m: map[string]int{"k": 1}, c: make(chan int, 2), a: uint8(3), e: errors.New("text"), st: stringer{},
	}
	a.c <- 1
	n := unsafe.Offsetof(inner{}.n)
	for name, c := range map[string]struct {
		v    value
		want any
	}{
		"int8": {at("i8"), int64(-1)}, "uint16": {at("u16"), int64(60000)}, "uint64": {at("u64"), "9223372036854775808"},
		"float32": {at("f32"), 0.5}, "bool": {at("b"), true}, "string": {at("s"), "id"},
		"behind a pointer":      {at("p", n).of(reflect.Int), int64(7)},
		"text behind a pointer": {at("p", unsafe.Offsetof(in.text)).of(reflect.String), "text"},
		"behind two pointers":   {at("pp", 0, n).of(reflect.Int), int64(7)},
		"behind no pointer":     {at("low", 0).of(reflect.Int), nil},
		"strings":               {at("texts"), []string{"x", ""}},
		"bools":                 {at("bools"), []bool{true}},
		"floats":                {at("floats"), []float64{1.5}},
		"ints":                  {at("ints"), []int64{-2, 2}},
		"nil slice":             {at("none"), []int64{}},
		"map":                   {at("m"), int64(1)},
		"nil map":               {at("nilm"), int64(0)},
		"chan":                  {at("c"), int64(1)},
		"any":                   {at("a"), int64(3)},
		"nil any":               {at("nila"), nil},
		"error":                 {at("e"), "text"},
		"field of an error":     {at("e").fields("s"), "text"},
		"no field of an error":  {at("e").fields("t"), nil},
		"length behind":         {at("e").fields("s").counted(), int64(4)},
		"no length":             {at("a").counted(), nil},
		"stringer":              {at("st"), nil},
		"field of a nil any":    {at("nila").fields("s"), nil},
	} {
		got, ok := c.v.read(unsafe.Pointer(a), nil)
		if !ok && c.want == nil {
			continue
		}
		if !reflect.DeepEqual(got.AsInterface(), c.want) {
			t.Errorf("%s: %v (%v), want %v", name, got.AsInterface(), ok, c.want)
		}
	}
}

func TestResultsComeFromTheirOwnArea(t *testing.T) {
	a, r := &area{i8: 1}, &area{i8: 2}
	v := at("i8")
	v.Flags = 0
	if got, _ := v.read(unsafe.Pointer(a), unsafe.Pointer(r)); got.AsInt64() != 2 {
		t.Error(got.AsInt64())
	}
}

func TestWhatIsReadIsCopied(t *testing.T) {
	b := []byte("text")
	a := &area{s: id(unsafe.String(&b[0], len(b)))}
	a.texts = []id{a.s}
	a.a = a.s
	var got []attribute.Value
	for _, field := range []string{"s", "texts", "a"} {
		v := at(field)
		value, _ := v.read(unsafe.Pointer(a), nil)
		got = append(got, value)
	}
	copy(b, "xxxx")
	if got[0].AsString() != "text" || got[1].AsStringSlice()[0] != "text" || got[2].AsString() != "text" {
		t.Error(got[0].Emit(), got[1].Emit(), got[2].Emit())
	}
}

// TestSecretsOfURLs: wherever a rule finds a text.
func TestSecretsOfURLs(t *testing.T) {
	const given, want = "https://user:pass@h/p?sig=abc&x=1", "https://h/p?sig=REDACTED&x=1"
	in := &inner{text: given}
	a := &area{s: given, p: in, texts: []id{"x", given}, a: id(given), e: field{given}}
	for name, c := range map[string]struct {
		v    value
		want any
	}{
		"string":                {at("s"), want},
		"text behind a pointer": {at("p", unsafe.Offsetof(in.text)).of(reflect.String), want},
		"strings":               {at("texts"), []string{"x", want}},
		"any":                   {at("a"), want},
		"field of an error":     {at("e").fields("URL"), want},
		"length":                {at("e").fields("URL").counted(), int64(len(given))},
	} {
		if got, ok := c.v.read(unsafe.Pointer(a), nil); !ok || !reflect.DeepEqual(got.AsInterface(), c.want) {
			t.Errorf("%s: %v (%v)", name, got.AsInterface(), ok)
		}
	}
	for _, f := range []string{"s", "a"} {
		v := at(f)
		c := &config{Name: []part{{Text: "get "}, {Value: &v}}}
		if got := c.name(unsafe.Pointer(a)); got != "get "+want {
			t.Errorf("a name: %s", got)
		}
	}
	u, _ := url.Parse(given)
	if got := message(u); got != want {
		t.Errorf("a panic's value: %s", got)
	}
	if got := message(given); got != want {
		t.Errorf("a panic's text: %s", got)
	}
}

type field struct{ URL string }

func (field) Error() string { return "field" }

func TestLongSlices(t *testing.T) {
	a := &area{ints: make([]int16, 1000)}
	v := at("ints")
	if got, _ := v.read(unsafe.Pointer(a), nil); len(got.AsInt64Slice()) != maxElements {
		t.Error(len(got.AsInt64Slice()))
	}
}

func TestFieldsBehindNilPointers(t *testing.T) {
	code := 3
	for want, err := range map[string]error{"3": coded{Code: &code}, "": coded{}} {
		v := at("e").fields("Code")
		if got, ok := v.read(unsafe.Pointer(&area{e: err}), nil); ok != (want != "") || ok && got.Emit() != want {
			t.Errorf("%q: %q %v", want, got.Emit(), ok)
		}
		v = at("e").fields("text") // promoted from an embedded pointer that is nil
		if _, ok := v.read(unsafe.Pointer(&area{e: err}), nil); ok {
			t.Error("a field behind nil")
		}
	}
}

func TestName(t *testing.T) {
	a := &area{i8: -5, s: "id", b: true, f32: 1.5, a: "any"}
	c := &config{Title: "f"}
	if got := c.name(unsafe.Pointer(a)); got != "f" {
		t.Error(got)
	}
	for _, field := range []string{"i8", "s", "b", "f32", "a", "e", "none"} {
		v := at(field)
		c.Name = append(c.Name, part{Value: &v}, part{Text: " "})
	}
	v := at("p", 0).of(reflect.Int)
	c.Name = append(c.Name, part{Value: &v})
	if got, want := c.name(unsafe.Pointer(a)), "-5 id true 1.5 any <nil> [] <nil>"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestErrors(t *testing.T) {
	v := at("e")
	for want, err := range map[failure]error{
		{"*errors.errorString", "text", ""}:                          errors.New("text"),
		{"github.com/otelobj/otelobj/hooks/span.coded", "coded", ""}: coded{},
		{"*span.broken", "*span.broken", ""}:                         (*broken)(nil),
	} {
		if got, ok := v.err(unsafe.Pointer(&area{e: err}), nil); !ok || got != want {
			t.Errorf("%v %v, want %v", got, ok, want)
		}
	}
	if _, ok := v.err(unsafe.Pointer(&area{}), nil); ok {
		t.Error("an error out of nil")
	}
}

func TestMessages(t *testing.T) {
	for want, value := range map[string]any{"boom": "boom", "5": 5, "a value of type github.com/otelobj/otelobj/hooks/span.inner": *new(inner), "text": errors.New("text")} {
		if got := message(value); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNoAllocationForWhatIsNotKept(t *testing.T) {
	a := &area{i8: 1, s: "id"}
	c := &config{Title: "f"}
	p := unsafe.Pointer(a)
	if n := testing.AllocsPerRun(100, func() { sink = c.name(p) }); n != 0 {
		t.Errorf("%v for a name", n)
	}
	v, w := at("i8"), at("s")
	c.Name = []part{{Value: &v}, {Text: " of "}, {Value: &w}}
	if n := testing.AllocsPerRun(100, func() { sink = c.name(p) }); n != 1 {
		t.Errorf("%v for a template", n)
	}
}

var sink string

func TestFilesOfTheStandardLibrary(t *testing.T) {
	if got := file("$GOROOT/src/os/file.go"); got != goroot+"/src/os/file.go" || goroot == rootName {
		t.Error(got)
	}
	if got := file("/src/main.go"); got != "/src/main.go" {
		t.Error(got)
	}
}

// TestLongTextsAreCut: what a rule takes from arguments may be chosen by strangers.
func TestLongTextsAreCut(t *testing.T) {
	for _, unit := range []string{"a", "ä", "€", "😀"} {
		long := strings.Repeat(unit, 1<<20)
		got := text(unsafe.Pointer(&long))
		if len(got) > sanitize.MaxValue || len(got) < sanitize.MaxValue-4 || !strings.HasPrefix(long, got) || !utf8.ValidString(got) {
			t.Errorf("%q: %d bytes", unit, len(got))
		}
		if got := message(errors.New(long)); len(got) > sanitize.MaxValue {
			t.Errorf("%q: a message of %d bytes", unit, len(got))
		}
	}
}
