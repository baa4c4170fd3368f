//go:build go1.23

package main

import (
	"iter"
	"slices"
)

// over is not inlined, so the body of a loop over it is a function of its own.
//
//go:noinline
func over(ps []*pool) iter.Seq2[int, *pool] {
	return func(yield func(int, *pool) bool) {
		for i, p := range ps {
			if !yield(i, p) {
				return
			}
		}
	}
}

//go:noinline
func body(seq iter.Seq2[int, *pool]) error {
	for _, p := range seq {
		for t := range p.work {
			t()
		}
	}
	return nil
}

//go:noinline
func inner(ch chan task) {
	for t := range ch {
		for range slices.Values([]int{1}) {
			t()
		}
	}
}

// finds returns something out of the body.
//
//go:noinline
func finds(seq iter.Seq2[int, *pool]) (found task) {
	for _, p := range seq {
		for t := range p.work {
			here("other", 0)
			if t != nil {
				return t
			}
		}
	}
	return nil
}

// onceEach has its loop in the iterator.
//
//go:noinline
func onceEach(seq iter.Seq2[int, *pool]) {
	for _, p := range seq {
		here("other", 0)
		<-p.work
	}
}

func init() {
	newer = append(newer, func() {
		body(over([]*pool{full()}))
		inner(full().work)
		finds(over([]*pool{full()}))
		onceEach(over([]*pool{full()}))
	})
}
