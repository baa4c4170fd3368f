package stdlib

import "testing"

type pool struct{}

// connector is that of pgx's stdlib, older the one of releases without pools.
type (
	connector struct{ pool *pool }
	older     struct{ driver *pool }
	other     struct{ pool int }
)

func TestHasPool(t *testing.T) {
	for _, c := range []struct {
		connector any
		want      bool
	}{
		{connector{&pool{}}, true},
		{&connector{&pool{}}, true},
		{connector{}, false},
		{(*connector)(nil), false},
		{older{&pool{}}, false},
		{other{1}, false},
		{nil, false}, // what points into the stack
		{"text", false},
	} {
		if got := hasPool(c.connector); got != c.want {
			t.Errorf("%T %v: %v", c.connector, c.connector, got)
		}
	}
}
