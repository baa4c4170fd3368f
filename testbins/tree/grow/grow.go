// Package grow makes random trees of spans and prints which parent each must have.
package grow

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

const trees, steps, deepest = 6, 60, 12

var (
	tracer   = otel.Tracer("tree")
	made, _  = otel.Meter("tree").Int64Counter("tree.made")
	requests sync.Map // id of a request -> func(context.Context)
	server   *httptest.Server
)

// span is one that was started; a nil parent is that of a root.
type span struct {
	id     string
	parent *span
}

func (s *span) below(other *span) bool {
	for ; s != nil; s = s.parent {
		if s == other {
			return true
		}
	}
	return false
}

// spot is where the program is: the context that it has in hand, the span in that, and the spans that are open, innermost last. Those
// before own were opened by the goroutines that started this one.
type spot struct {
	ctx  context.Context
	in   *span
	open []*span
	own  int
}

func (p spot) innermost() *span {
	if len(p.open) == 0 {
		return nil
	}
	return p.open[len(p.open)-1]
}

// parent is that of a span by an instrumentation: the innermost open one that descends from the context's. It is known if those that
// other goroutines have opened make no difference.
func (p spot) parent() (found *span, known bool) {
	if p.in == nil {
		return p.innermost(), true
	}
	found, known = p.in, true
	for i, s := range p.open {
		if s.below(p.in) {
			found, known = s, i >= p.own-1
		}
	}
	return found, known || found == p.in
}

func (p spot) entered(s *span) spot {
	p.open = append(p.open[:len(p.open):len(p.open)], s)
	return p
}

type tree struct {
	rand *rand.Rand
	name string
	made int
	left int
	said []string
}

func (t *tree) span(kind string, parent *span) *span {
	s := &span{fmt.Sprint(t.name, kind, t.made), parent}
	t.made++
	id := "-"
	if parent != nil {
		id = parent.id
	}
	t.said = append(t.said, fmt.Sprintln("span", s.id, "parent", id))
	return s
}

// grow makes spans below a place.
func (t *tree) grow(at spot, depth int) {
	if depth == 0 {
		return
	}
	for range 1 + t.rand.IntN(4) {
		if t.left == 0 {
			return
		}
		t.left--
		here := at
		then := func(p spot) { t.grow(p, depth-1) }
		switch t.rand.IntN(8) {
		case 0, 1: // by hand, with the context
			parent := here.in
			if parent == nil {
				parent = here.innermost()
			}
			t.byHand(here, parent, then)
		case 2: // by hand, without one
			here.ctx, here.in = context.Background(), nil
			t.byHand(here, here.innermost(), then)
		case 3: // a new root
			t.byHand(here, nil, then, trace.WithNewRoot())
		case 4: // by a rule
			if parent, known := here.parent(); known {
				s := t.span("w", parent)
				work(here.ctx, s.id, func(ctx context.Context) {
					p := here.entered(s)
					p.ctx, p.in = ctx, s
					then(p)
				})
			}
		case 5: // by a rule, without a context
			s := t.span("b", here.innermost())
			bare(s.id, func() { then(here.entered(s)) })
		case 6: // by net/http, on both sides
			if parent, known := here.parent(); known {
				t.request(here, parent, then)
			}
		default: // on another goroutine
			here.own = len(here.open)
			done := make(chan bool)
			go func() {
				defer close(done)
				then(here)
			}()
			<-done
		}
	}
}

func (t *tree) byHand(at spot, parent *span, then func(spot), options ...trace.SpanStartOption) {
	s := t.span("h", parent)
	ctx, started := tracer.Start(at.ctx, "by hand", append(options, trace.WithAttributes(attribute.String("id", s.id)))...)
	defer started.End()
	made.Add(ctx, 1, metric.WithAttributes(attribute.String("tree", t.name)))
	p := at.entered(s)
	if t.rand.IntN(3) > 0 { // else the context stays that of a span further out
		p.ctx, p.in = ctx, s
	}
	then(p)
}

func (t *tree) request(at spot, parent *span, then func(spot)) {
	client := t.span("c", parent)
	served := t.span("s", client)
	requests.Store(served.id, func(ctx context.Context) {
		then(spot{ctx: ctx, in: served, open: []*span{served}})
	})
	req, err := http.NewRequestWithContext(at.ctx, http.MethodGet, server.URL+"/"+client.id+"/"+served.id, nil)
	if err != nil {
		panic(err)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		panic(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		panic(err)
	}
	resp.Body.Close()
}

//go:noinline
func work(ctx context.Context, id string, then func(context.Context)) { then(ctx) }

//go:noinline
func bare(id string, then func()) { then() }

// Run grows trees at the same time.
func Run(seed uint64) {
	mux := http.NewServeMux()
	mux.HandleFunc("/{client}/{served}", func(_ http.ResponseWriter, r *http.Request) {
		then, _ := requests.Load(r.PathValue("served"))
		then.(func(context.Context))(r.Context())
	})
	server = httptest.NewServer(mux)
	defer server.Close()
	var all sync.WaitGroup
	said := make([][]string, trees)
	for n := range trees {
		all.Add(1)
		go func() {
			defer all.Done()
			t := &tree{rand: rand.New(rand.NewPCG(seed, uint64(n))), name: string(rune('a' + n)), left: steps}
			for t.left > 0 {
				t.grow(spot{ctx: context.Background()}, deepest)
			}
			said[n] = t.said
		}()
	}
	all.Wait()
	for _, lines := range said {
		for _, line := range lines {
			fmt.Print(line)
		}
	}
}
