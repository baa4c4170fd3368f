//go:build !otelobj_program

package logs

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// deadContext is a context that is not there.
type deadContext struct{ context.Context }

// What panics while a record is made does not reach the program. It is reported once.
func TestPanicsStayInside(t *testing.T) {
	told.Store(false)
	var reports []error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { reports = append(reports, err) }))
	q, _ := pipelineTo(&held{}, -1)
	otel.SetLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(q)))
	l := New("test")
	var r log.Record
	r.SetErr((*failure)(nil))
	l.Emit(context.Background(), r)
	l.Emit((*deadContext)(nil), r)
	if len(reports) != 1 || !strings.Contains(reports[0].Error(), "nil pointer") {
		t.Error(reports)
	}
	r = log.Record{}
	r.SetBody(attribute.StringValue("kept"))
	before := q.records.Load()
	l.Emit((*deadContext)(nil), r)
	if n := q.records.Load() - before; n != 1 {
		t.Error(n, "records with a context that panics")
	}
	told.Store(false)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { panic("handler") }))
	if Guard(func() { panic(errors.New("x")) }) || !Guard(func() {}) {
		t.Error("reported wrongly")
	}
}
