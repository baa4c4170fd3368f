package rt

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"unsafe"
)

// *Call is what hooks get as any interface made of the methods of the SIG's HookContext and Unwound.
var _ interface {
	SetSkipCall(skip bool)
	IsSkipCall() bool
	SetData(data any)
	GetData() any
	GetKeyData(key string) any
	SetKeyData(key string, val any)
	HasKeyData(key string) bool
	GetParamCount() int
	GetParam(idx int) any
	SetParam(idx int, val any)
	GetReturnValCount() int
	GetReturnVal(idx int) any
	SetReturnVal(idx int, val any)
	GetFuncName() string
	GetPackageName() string
	Unwound() (panicValue any, goexit, ok bool)
} = (*Call)(nil)

type point struct{ x, y int }

type named struct {
	name string
	next *point
}

type small struct {
	a uint8
	b bool
}

type ptrBox struct{ p *point }

type myErr struct{ code int }

func (e myErr) Error() string { return fmt.Sprint("code ", e.code) }

// value makes the description of a T at off, as the link step does.
func value[T any](off uintptr) Value {
	var zero T
	rt := reflect.TypeFor[T]()
	v := Value{Off: off, Size: unsafe.Sizeof(zero), Type: typeFor[T]()}
	switch rt.Kind() {
	case reflect.String:
		v.Flags = ValueString
	case reflect.Slice:
		v.Flags = ValueSlice
		v.ElemSize = uint32(rt.Elem().Size())
		switch rt.Elem().Kind() {
		case reflect.Uint8, reflect.Int, reflect.Int64:
			v.Flags |= ValueFlat
		}
	case reflect.Pointer:
		v.Flags = ValuePointer
	case reflect.Interface:
		v.Flags = ValueIface
		if rt.NumMethod() == 0 {
			v.Flags = ValueEface
		}
	}
	return v
}

// checkValue reads and writes a T as parameter and as result.
func checkValue[T any](t *testing.T, first, second T) {
	t.Helper()
	t.Run(reflect.TypeFor[T]().String(), func(t *testing.T) {
		w := newWorld(t)
		var zero T
		ran := 0
		d := desc("main.f", hook("f",
			func(c *Call, _, _, _ unsafe.Pointer) {
				ran++
				p := (*T)(w.at(64 - 16))
				if got := c.GetParam(1); !reflect.DeepEqual(got, any(first)) {
					t.Errorf("GetParam: %v, want %v", got, first)
				}
				c.SetParam(1, second)
				if !reflect.DeepEqual(*p, second) {
					t.Errorf("SetParam left %v, want %v", *p, second)
				}
				c.SetParam(1, nil)
				if !reflect.DeepEqual(*p, zero) {
					t.Errorf("SetParam(nil) left %v", *p)
				}
				if got := c.GetParam(1); !reflect.DeepEqual(got, any(zero)) {
					t.Errorf("GetParam of zero: %v", got)
				}
			},
			func(c *Call, _, results, _ unsafe.Pointer) {
				ran++
				p := (*T)(unsafe.Add(results, 24))
				if got := c.GetReturnVal(0); !reflect.DeepEqual(got, any(first)) {
					t.Errorf("GetReturnVal: %v, want %v", got, first)
				}
				c.SetReturnVal(0, second)
				if !reflect.DeepEqual(*p, second) {
					t.Errorf("SetReturnVal left %v, want %v", *p, second)
				}
			}))
		d.Params = []Value{value[int](0), value[T](16)}
		d.Results = []Value{value[T](24)}
		*(*T)(w.at(64 - 16)) = first
		w.enter(d, 64)
		*(*T)(w.at(64 + 512 - 24)) = first
		w.exit(d, 64)
		if ran != 2 || Mismatches() != 0 || StackRefusals() != 0 {
			t.Errorf("%d hooks ran, %d mismatches, %d refusals", ran, Mismatches(), StackRefusals())
		}
	})
}

func TestValues(t *testing.T) {
	checkValue(t, 1, 2)
	checkValue(t, uint8(200), uint8(3))
	checkValue(t, true, true)
	checkValue(t, 1.5, 2.5)
	checkValue(t, complex(1, 2), complex(3, 4))
	checkValue(t, "one", "two")
	checkValue(t, []byte("one"), []byte("two"))
	checkValue(t, []string{"one"}, []string{"two", "three"})
	checkValue(t, &point{1, 2}, &point{3, 4})
	checkValue(t, point{1, 2}, point{3, 4})
	checkValue(t, small{1, true}, small{2, false})
	checkValue(t, named{"a", &point{1, 2}}, named{"b", nil})
	checkValue(t, ptrBox{&point{1, 2}}, ptrBox{&point{3, 4}})
	checkValue(t, [1]*point{{1, 2}}, [1]*point{{3, 4}})
	checkValue(t, [3]string{"a", "b"}, [3]string{"c"})
	checkValue(t, struct{}{}, struct{}{})
	checkValue(t, map[string]int{"a": 1}, map[string]int{"b": 2})
	checkValue(t, make(chan int), make(chan int))
	checkValue(t, unsafe.Pointer(&point{}), unsafe.Pointer(&point{}))
	checkValue[any](t, 1, "two")
	checkValue[any](t, &point{1, 2}, point{3, 4})
	checkValue[error](t, errors.New("one"), myErr{2})
	checkValue[fmt.Stringer](t, reflect.ValueOf(1), reflect.TypeFor[int]())
}

func TestSetParamFunc(t *testing.T) {
	w := newWorld(t)
	d := desc("main.f", hook("f", func(c *Call, _, _, _ unsafe.Pointer) {
		if got := c.GetParam(0).(func() int)(); got != 1 {
			t.Errorf("GetParam: %d", got)
		}
		c.SetParam(0, func() int { return 2 })
	}, nil))
	d.Params = []Value{value[func() int](0)}
	*(*func() int)(w.at(64)) = func() int { return 1 }
	w.enter(d, 64)
	if got := (*(*func() int)(w.at(64)))(); got != 2 {
		t.Errorf("SetParam: %d", got)
	}
}

func TestMismatch(t *testing.T) {
	w := newWorld(t)
	d := desc("main.f", hook("f", func(c *Call, _, _, _ unsafe.Pointer) {
		c.SetParam(0, "no int")
		c.SetParam(0, int64(1))
		c.SetParam(1, point{})
		c.SetParam(2, 1) // no type known
		c.SetParam(3, 1)
		c.SetParam(-1, 1)
		c.SetSkipCall(true)
		if c.GetParam(2) != nil || c.GetParam(3) != nil || c.GetParam(-1) != nil || c.IsSkipCall() {
			t.Error("something where nothing is")
		}
	}, func(c *Call, _, _, _ unsafe.Pointer) {
		c.SetReturnVal(0, 1)
		if c.GetReturnVal(0) != nil || c.GetReturnVal(-1) != nil {
			t.Error("something where nothing is")
		}
	}))
	d.Params = []Value{value[int](0), value[error](8), {Off: 24, Size: 8}}
	e := errors.New("kept")
	*(*int)(w.at(64)) = 7
	*(*error)(w.at(56)) = e
	*(*int)(w.at(40)) = 8
	if w.enter(d, 64) {
		t.Error("skipped")
	}
	w.exit(d, 64)
	if *(*int)(w.at(64)) != 7 || *(*error)(w.at(56)) != e || *(*int)(w.at(40)) != 8 {
		t.Error("a mismatch was stored")
	}
	if Mismatches() != 8 {
		t.Errorf("%d mismatches", Mismatches())
	}
}

func TestSkip(t *testing.T) {
	w := newWorld(t)
	var l log
	e := errors.New("skipped")
	before := func(c *Call, _, _, _ unsafe.Pointer) {
		c.SetSkipCall(true)
		c.SetReturnVal(0, 42)
		c.SetReturnVal(2, e)
		l.add(fmt.Sprint(c.GetReturnVal(0), c.GetReturnVal(1), c.GetReturnVal(2), c.IsSkipCall()))
	}
	after := func(c *Call, _, _, _ unsafe.Pointer) {
		l.add(fmt.Sprint(c.GetReturnVal(0), c.GetReturnVal(1), c.GetReturnVal(2), c.IsSkipCall()))
	}
	d := desc("main.f", hook("f", before, after))
	d.Flags |= DescSkippable
	onStackResult := value[error](16)
	onStackResult.Flags |= ValueInArgs
	d.Results = []Value{value[int](0), value[int](8), onStackResult}
	for _, withAfter := range []bool{true, false} {
		if !withAfter {
			d = &Desc{On: 1, Flags: DescSkippable | DescHasExit, Results: d.Results, Hooks: []Hook{hook("f", before, nil)}}
		}
		if !w.enter(d, 64) || w.top() != 64 {
			t.Fatal("not skipped")
		}
		clear(w.stack)
		w.exit(d, 64)
		if *(*int)(w.at(64 + 512)) != 42 || *(*error)(w.at(64 - 16)) != e {
			t.Error("results not stored")
		}
		if withAfter {
			l.want(t, "42 <nil> skipped true", "42 0 skipped true")
		} else {
			l.want(t, "42 <nil> skipped true")
		}
	}
	// Results that were set without a skip are forgotten.
	d = desc("main.f", hook("f", func(c *Call, _, _, _ unsafe.Pointer) { c.SetReturnVal(0, 42) }, nil), l.hook("l"))
	d.Results = []Value{value[int](0)}
	w.enter(d, 64)
	*(*int)(w.at(64 + 512)) = 1
	w.exit(d, 64)
	if *(*int)(w.at(64 + 512)) != 1 {
		t.Error("a result was overwritten")
	}
}

func TestData(t *testing.T) {
	w := newWorld(t)
	var l log
	pair := func(name string) Hook {
		return hook(name, func(c *Call, _, _, _ unsafe.Pointer) {
			if c.GetData() != nil || c.HasKeyData("k") {
				t.Error("data of another call")
			}
			c.SetData("data of " + name)
		}, func(c *Call, _, _, _ unsafe.Pointer) {
			l.add(fmt.Sprint(c.GetData()))
		})
	}
	keys := hook("keys", func(c *Call, _, _, _ unsafe.Pointer) {
		c.SetKeyData("k", 1)
		c.SetKeyData("n", nil)
	}, func(c *Call, _, _, _ unsafe.Pointer) {
		l.add(fmt.Sprint(c.GetKeyData("k"), c.HasKeyData("k"), c.HasKeyData("n"), c.HasKeyData("x"), c.GetKeyData("x"), len(c.GetData().(map[string]any))))
	})
	d := desc("main.f", pair("a"), pair("b"), keys)
	for i := 0; i < 2; i++ {
		w.enter(d, 64)
		w.exit(d, 64)
		l.want(t, "1 true true false <nil> 2", "data of b", "data of a")
	}
	c := w.g.slot.owner.next
	if c.data != nil || len(c.more) != 0 {
		t.Error("a closed record keeps data")
	}
}

func TestNames(t *testing.T) {
	w := newWorld(t)
	d := desc("net/http.(*Transport).roundTrip", hook("f", func(c *Call, _, _, _ unsafe.Pointer) {
		if c.GetFuncName() != "roundTrip" || c.GetPackageName() != "main" || c.GetParamCount() != 2 || c.GetReturnValCount() != 1 {
			t.Error(c.GetFuncName(), c.GetPackageName(), c.GetParamCount(), c.GetReturnValCount())
		}
	}, nil))
	d.Params, d.Results = make([]Value, 2), make([]Value, 1)
	w.enter(d, 64)
	for name, want := range map[string]string{
		"main.f": "f", "a/b.c.T.M": "M", "slices.Sort[...]": "Sort", "x.(*L[a/b.c]).Add": "Add", "f": "f", "": "",
	} {
		if got := bareName(name); got != want {
			t.Errorf("bareName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestCallOutsideItsHook(t *testing.T) {
	w := newWorld(t)
	var kept *Call
	d := desc("main.f", hook("f", func(c *Call, _, _, _ unsafe.Pointer) {
		kept = c
		c.SetData("data")
		own := w.g
		w.g, _ = w.newG(2) // as if c were used on another goroutine
		w.place(w.stack)
		if c.GetData() != nil || c.GetParam(0) != nil || c.GetFuncName() != "" {
			t.Error("usable on another goroutine")
		}
		c.SetData("other")
		c.SetParam(0, 2)
		c.SetSkipCall(true)
		w.g = own
		if c.GetData() != "data" || c.IsSkipCall() {
			t.Error("written on another goroutine")
		}
	}, func(*Call, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) {}))
	d.Flags |= DescSkippable
	d.Params = []Value{value[int](0)}
	d.Results = []Value{value[int](0)}
	*(*int)(w.at(64)) = 1
	w.enter(d, 64)
	for name, c := range map[string]*Call{"kept": kept, "zero": {}, "nil": nil} {
		c.SetData("late")
		c.SetKeyData("k", 1)
		c.SetParam(0, 3)
		c.SetReturnVal(0, 3)
		c.SetSkipCall(true)
		if _, _, ok := c.Unwound(); ok || c.GetData() != nil || c.HasKeyData("k") || c.GetParam(0) != nil || c.IsSkipCall() ||
			c.GetReturnVal(0) != nil || c.GetParamCount() != 0 || c.GetReturnValCount() != 0 || c.GetPackageName() != "" {
			t.Errorf("%s: usable", name)
		}
	}
	if *(*int)(w.at(64)) != 1 {
		t.Error("written late")
	}
}

func TestBoxes(t *testing.T) {
	w := newWorld(t)
	var l log
	h := hook("f",
		func(_ *Call, _, _, boxes unsafe.Pointer) { l.add(fmt.Sprint(unsafe.Slice((*any)(boxes), 2))) },
		func(_ *Call, _, _, boxes unsafe.Pointer) { l.add(fmt.Sprint(*(*any)(boxes))) })
	h.BeforeBoxes, h.AfterBoxes = []int32{1, 0}, []int32{0}
	d := desc("main.f", h)
	d.Params = []Value{value[point](0), value[string](16)}
	d.Results = []Value{value[error](0)}
	*(*point)(w.at(64)) = point{1, 2}
	*(*string)(w.at(48)) = "s"
	w.enter(d, 64)
	*(*error)(w.at(64 + 512)) = myErr{3}
	w.exit(d, 64)
	l.want(t, "[s {1 2}]", "code 3")
}

func TestSetParamReachesNextHook(t *testing.T) {
	w := newWorld(t)
	d := desc("main.f",
		hook("a", func(c *Call, _, _, _ unsafe.Pointer) { c.SetParam(0, 2) }, nil),
		hook("b", func(c *Call, _, _, _ unsafe.Pointer) { c.SetParam(0, c.GetParam(0).(int)*10) }, nil))
	d.Params = []Value{value[int](0)}
	w.enter(d, 64)
	if got := *(*int)(w.at(64)); got != 20 {
		t.Errorf("parameter is %d", got)
	}
}
