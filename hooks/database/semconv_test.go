package database

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
)

type stateError struct{}

func (stateError) Error() string    { return "duplicate key 's3cr3t'" }
func (stateError) SQLState() string { return "23505" }

// Databases quote data in their errors. Only what comes from the network or from package context is text of ours.
func TestErrorsHoldNoData(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, c := range []struct {
		err                  error
		failure, description string
	}{
		{stateError{}, "23505", ""},
		{fmt.Errorf("at s3cr3t: %w", stateError{}), "23505", ""},
		{errors.New("s3cr3t"), "*errors.errorString", ""},
		{fmt.Errorf("s3cr3t: %w", context.Canceled), "context.Canceled", "context canceled"},
		{fmt.Errorf("s3cr3t: %w", refused), "*net.OpError", "dial tcp: connection refused"},
	} {
		if got := failureOf(c.err).kind; got != c.failure {
			t.Errorf("%v: type %q", c.err, got)
		}
		if got := description(c.err); got != c.description || strings.Contains(got, "s3cr3t") {
			t.Errorf("%v: description %q", c.err, got)
		}
	}
	if got := code(strings.Repeat("x", 100)); got != "" {
		t.Errorf("code %q", got)
	}
}

type list struct{ tracers []any }

func TestMakesSpans(t *testing.T) {
	tracers = append(tracers, "github.com/otelobj/otelobj/hooks/database")
	defer func() { tracers = tracers[:len(tracers)-1] }()
	if !MakesSpans(reflect.ValueOf(&list{})) || MakesSpans(reflect.ValueOf(any(nil))) || MakesSpans(reflect.ValueOf(errors.New("x"))) {
		t.Error("not as it should be")
	}
}

func TestSeriesAreBounded(t *testing.T) {
	d := For(Target{System: PostgreSQL, Namespace: "bounded"})
	for i := range 3 * maxSeries {
		d.measured(&call{operation: "SELECT", collection: fmt.Sprint("t", i)}, failure{})
	}
	if n := d.series.Load(); n > maxSeries+4 {
		t.Errorf("%d series", n)
	}
	for i := range 2 * maxTargets {
		For(Target{System: PostgreSQL, Namespace: fmt.Sprint("n", i)})
	}
	if n := len(targets.known); n > maxTargets {
		t.Errorf("%d targets", n)
	}
}

type pointerError struct{ state string }

func (e *pointerError) Error() string    { return e.state }
func (e *pointerError) SQLState() string { return e.state }

func TestErrorsThatPanic(t *testing.T) {
	if got := failureOf((*pointerError)(nil)).kind; got != "*database.pointerError" {
		t.Errorf("type %q", got)
	}
}
