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

// secret hides what it is from JSON alone.
type secret string

func (secret) MarshalJSON() ([]byte, error) { panic("asked for JSON") }

// byPointer does so where it can be changed.
type byPointer struct{ Secret string }

func (*byPointer) MarshalText() ([]byte, error) { panic("asked for its text") }

type account struct{ Name, Password string }

type profile struct{ Password string }

// Where the program's output follows no pointers and asks for no JSON, neither does what is exported.
func TestValuesAreNotFollowed(t *testing.T) {
	in := &inner{"secret"}
	list := []any{in, &ownString{"secret"}, errors.New("<e>"), 1, nil, secret("secret")}
	c := cache{in, embedded{3}, "n", in, in, map[string]*inner{"a": in}, list, time.Second, nil, nil}
	want := func(text string) string {
		return `{"name":"n","Inner":"*logs.inner","Next":"*logs.inner","Items":{"a":"*logs.inner"},"List":["*logs.inner","` + text +
			`","<e>",1,null,"logs.secret"],"When":"1s","None":null,"F":null,"Level":3}`
	}
	h := hidden{"n", "secret", "secret"}
	type hides struct {
		account
		Password string `json:",omitempty"`
	}
	type both struct {
		account
		profile
	}
	same := func(v any) [2]any { return [2]any{v, v} }
	for _, c := range []struct {
		v    any
		want [2]any // as Text, and as Unknown
	}{
		{c, [2]any{want("string"), want("*logs.ownString")}},
		{&c, [2]any{want("string"), want("*logs.ownString")}},
		{&h, same(`{"Name":"n"}`)},
		{[]*hidden{&h}, same([]any{"*logs.hidden"})},
		{map[string]*hidden{"a": &h}, same(map[string]any{"a": "*logs.hidden"})},
		{ownText{"secret"}, same("text")},
		{ownJSON{"secret"}, same("logs.ownJSON")},
		{secret("secret"), same("logs.secret")},
		{[]secret{"secret"}, same([]any{"logs.secret"})},
		{byPointer{"secret"}, same("logs.byPointer")},
		{struct{ P byPointer }{}, same(`{"P":"logs.byPointer"}`)},
		{[]*ownString{{"secret"}}, [2]any{[]any{"string"}, []any{"*logs.ownString"}}},
		{&ownString{"secret"}, same("string")},
		{hides{account: account{"n", "secret"}}, same(`{"Password":"","Name":"n"}`)},
		{both{account{"n", "secret"}, profile{"secret"}}, same(`{"Name":"n"}`)},
		{struct{ At netip.Addr }{netip.MustParseAddr("::1")}, same(`{"At":"::1"}`)},
	} {
		if got := [2]any{Value(c.v, Text), Value(c.v, Unknown)}; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%T: %q\nnot %q", c.v, got, c.want)
		}
	}
	deep := map[string]any{}
	deep["in"] = deep
	_ = Value(struct{ M any }{deep}, Text) // ends
	if n := len(Value(struct{ L []string }{slices.Repeat([]string{strings.Repeat("x", 1<<10)}, 1<<10)}, Text).(string)); n > sanitize.MaxStack {
		t.Error(n, "bytes")
	}
}
