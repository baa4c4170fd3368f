// Package p holds the functions and types whose signatures and layouts the tests know by heart.
package p

// Pair is instantiated with types of several shapes.
type Pair[A, B any] struct {
	a A
	B B
}

// Context has exported and unexported methods, declared in no order.
type Context interface {
	SetData(any)
	zed()
	GetData() any
	abc(n int) string
}

// Desc has a field of every kind that the writer of static data knows.
type Desc struct {
	On    uint32
	Small int8
	Name  string
	Items []*Desc
	Next  *Desc
	Nums  [3]uint16
	Inner struct{ A, B int }
	Any   any
	_     [4]byte
	Hook  func()
}

// Loop refers to itself through everything that is a pointer.
type Loop struct {
	next *Loop
	all  []Loop
	by   map[string]Loop
	f    func(Loop) Loop
}

//go:noinline
func (p *Pair[A, B]) Get(n int, _ string) (A, error) { return p.a, nil }

// Each has a closure that captures the dictionary.
//
//go:noinline
func Each[T any](items []T, f func(T)) func() int {
	return func() int {
		for _, item := range items {
			f(item)
		}
		return len(items)
	}
}

// Inlined has an abstract DIE, in which its unnamed parameters are missing.
func Inlined(_ int8, a string, _ bool, b *Loop) (_ error, n int, _ []byte) { return nil, len(a), nil }

// Twice has a result that the compiler lists twice.
//
//go:noinline
func Twice(x int, y []byte) (n int, err error) {
	defer func() { err = nil }()
	n = x + len(y)
	return
}

// None takes and returns nothing.
//
//go:noinline
func None() {}

//go:noinline
func (d Desc) Value(c Context, _ struct{}, l Loop) (*Desc, [1]Loop) { return d.Next, [1]Loop{l} }

// Use makes instances.
func Use() {
	var a Pair[int, string]
	a.Get(1, "")
	var b Pair[*Desc, float32]
	b.Get(2, "")
	Each([]int8{1}, func(int8) {})()
	Inlined(1, "", true, nil)
}
