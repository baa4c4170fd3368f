package spans

import (
	"reflect"
	"testing"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
)

type (
	one   struct{ a, b string }
	same  struct{ a, b string }
	other struct{ b, a string }
	deep  struct{ s []one }
	deep2 struct{ s []same }
	deep3 struct{ s []other }
)

func TestLayouts(t *testing.T) {
	if !usable() {
		t.Fatal("no release of the API has another layout")
	}
	for _, c := range []struct {
		a, b any
		want bool
	}{{one{}, same{}, true}, {one{}, other{}, false}, {deep{}, deep2{}, true}, {deep{}, deep3{}, false}, {1, int32(1), false}, {[2]int{}, [3]int{}, false}} {
		if got := attrs.Same(reflect.TypeOf(c.a), reflect.TypeOf(c.b)); got != c.want {
			t.Errorf("%T and %T: %v", c.a, c.b, got)
		}
	}
}
