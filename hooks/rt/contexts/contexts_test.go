package contexts

import (
	"context"
	"fmt"
	"testing"
)

// own is a context of a program's that calls functions when it is done.
type own struct {
	context.Context
	done   chan struct{}
	called int
}

func (o *own) Done() <-chan struct{} { return o.done }

func (o *own) AfterFunc(f func()) func() bool {
	o.called++
	return context.AfterFunc(o.Context, f)
}

type wrapper struct{ context.Context }

func (w *wrapper) String() string { return Name(w.Context) }

func TestOffering(t *testing.T) {
	o := &own{Context: context.Background(), done: make(chan struct{})}
	w := &wrapper{o}
	ctx := Offering(w, o)
	_, cancel := context.WithCancel(ctx)
	cancel()
	if o.called != 1 {
		t.Errorf("AfterFunc was called %d times", o.called)
	}
	if Offered(ctx) != context.Context(w) || fmt.Sprint(ctx) != "*contexts.own" {
		t.Error(ctx)
	}
	w = &wrapper{context.Background()}
	if ctx := Offering(w, w.Context); ctx != context.Context(w) || Offered(ctx) != ctx || fmt.Sprint(ctx) != "context.Background" {
		t.Error(ctx)
	}
}
