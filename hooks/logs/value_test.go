package logs

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
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
		if got := Value(c.v); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%#v: %#v, not %#v", c.v, got, c.want)
		}
	}
	if text := fmt.Sprint(Value(cyclic)); strings.Count(text, "in") != maxDepth+1 && len(text) > 1000 {
		t.Error(text)
	}
	if n := len(Value(hidden{Name: strings.Repeat("x", 1<<20)}).(string)); n > sanitize.MaxStack {
		t.Error(n, "bytes")
	}
}
