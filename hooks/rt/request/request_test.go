package request

import (
	"context"
	"testing"
	"unsafe"
)

type server struct {
	Server
	found *Route
}

func (s *server) SetRoute(found *Route) { s.found = found }

func TestSetRoute(t *testing.T) {
	s := new(server)
	ctx := context.WithValue(context.Background(), Key{}, Server(s))
	route := "/items/{id}"
	SetRoute(ctx, route)
	if s.found == nil || s.found.Pattern != route || s.found.Path != "" {
		t.Fatalf("%+v", s.found)
	}
	if unsafe.StringData(s.found.Pattern) == unsafe.StringData(route) {
		t.Error("the caller's string is kept")
	}
}

func TestNothingIsAllocatedWithoutAServer(t *testing.T) {
	ctx := context.WithValue(context.Background(), Key{}, "something else")
	if n := testing.AllocsPerRun(100, func() {
		SetRoute(ctx, "/items/{id}")
		SetRoute(context.Background(), "/items/{id}")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
