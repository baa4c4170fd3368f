package logs

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

type failure struct{ text string }

func (f *failure) Error() string { return f.text }

type hidden struct {
	Name   string
	Secret string `json:"-"`
	own    string
}

type ownJSON struct{ Secret string }

func (ownJSON) MarshalJSON() ([]byte, error) { return []byte(`{"shown": "<>"}`), nil }

type ownText struct{ Secret string }

func (ownText) MarshalText() ([]byte, error) { return []byte("text"), nil }

type ownString struct{ Secret string }

func (*ownString) String() string { return "string" }

type failing struct{ Secret string }

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("secret") }

type panicking struct{ Secret string }

func (panicking) MarshalText() ([]byte, error) { panic("secret") }

// What a type keeps out of JSON, or of its text, is not exported.
func TestValuesHideWhatTheyHide(t *testing.T) {
	err := &failure{"sold"}
	h := hidden{"n", "secret", "secret"}
	cyclic := map[string]any{}
	cyclic["in"] = cyclic
	for _, c := range []struct{ v, want any }{
		{h, `{"Name":"n"}`},
		{&h, `{"Name":"n"}`},
		{[]hidden{h}, []any{`{"Name":"n"}`}},
		{[1]*hidden{&h}, []any{`{"Name":"n"}`}},
		{map[int]hidden{1: h}, map[string]any{"1": `{"Name":"n"}`}},
		{map[string]any{"a": []any{h, 1, nil}}, map[string]any{"a": []any{`{"Name":"n"}`, 1, nil}}},
		{ownJSON{"secret"}, `{"shown":"<>"}`},
		{&ownJSON{"secret"}, `{"shown":"<>"}`},
		{ownText{"secret"}, "text"},
		{&ownString{"secret"}, "string"},
		{failing{"secret"}, "logs.failing"},
		{panicking{"secret"}, "logs.panicking"},
		{struct{ F func() }{}, "struct { F func() }"},
		{netip.MustParseAddr("::1"), "::1"},
		{&url.URL{Scheme: "http", Host: "h"}, "http://h"},
		{err, err},
		{(*failure)(nil), "<nil>"},
		{[]error{err}, []any{err}},
		{time.Second, time.Second},
		{[]byte("b"), []byte("b")},
		{[]string{"a"}, []string{"a"}},
		{map[string]int{"a": 1}, map[string]int{"a": 1}},
		{nil, nil},
		{(*hidden)(nil), (*hidden)(nil)},
	} {
		if got := Value(c.v, JSON); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%#v: %#v, not %#v", c.v, got, c.want)
		}
	}
	if text := fmt.Sprint(Value(cyclic, JSON)); strings.Count(text, "in") != maxDepth+1 && len(text) > 1000 {
		t.Error(text)
	}
	if n := len(Value(hidden{Name: strings.Repeat("x", 1<<20)}, JSON).(string)); n > sanitize.MaxStack {
		t.Error(n, "bytes")
	}
}

type inner struct{ Secret string }

type embedded struct{ Level int }

type cache struct {
	*inner
	embedded
	Name  string `json:"name,omitempty"`
	Inner *inner
	Next  any
	Items map[string]*inner
	List  []any
	When  time.Duration
	None  *inner
	F     func()
}

func (cache) MarshalJSON() ([]byte, error) { panic("asked for JSON") }

// Where the program's output follows no pointers and asks for no JSON, neither does what is exported.
func TestValuesAreNotFollowed(t *testing.T) {
	in := &inner{"secret"}
	c := cache{in, embedded{3}, "n", in, in, map[string]*inner{"a": in}, []any{in, &ownString{"secret"}, errors.New("<e>"), 1, nil}, time.Second, nil, func() {}}
	want := `{"Level":3,"name":"n","Inner":"*logs.inner","Next":"*logs.inner","Items":{"a":"*logs.inner"},"List":["*logs.inner","string","<e>",1,null],` +
		`"When":"1s","None":null,"F":"func()"}`
	h := hidden{"n", "secret", "secret"}
	deep := map[string]any{}
	deep["in"] = deep
	for _, c := range []struct{ v, text, printed any }{
		{c, want, want},
		{&c, want, want},
		{&h, `{"Name":"n"}`, `{"Name":"n"}`},
		{[]*hidden{&h}, []any{"*logs.hidden"}, []any{"*logs.hidden"}},
		{map[string]*hidden{"a": &h}, map[string]any{"a": "*logs.hidden"}, map[string]any{"a": "*logs.hidden"}},
		{ownText{"shown"}, "text", `{"Secret":"shown"}`},
		{ownJSON{"shown"}, `{"Secret":"shown"}`, `{"Secret":"shown"}`},
		{[]*ownString{{"secret"}}, []any{"string"}, []any{"string"}},
		{struct{ M any }{deep}, nil, nil},
	} {
		if text, printed := Value(c.v, Text), Value(c.v, Printed); c.text != nil && (!reflect.DeepEqual(text, c.text) || !reflect.DeepEqual(printed, c.printed)) {
			t.Errorf("%T: %q, %q", c.v, text, printed)
		}
	}
	if n := len(Value(struct{ L []string }{slices.Repeat([]string{strings.Repeat("x", 1<<10)}, 1<<10)}, Text).(string)); n > sanitize.MaxStack {
		t.Error(n, "bytes")
	}
}
