package transform

import (
	cpb "go.opentelemetry.io/proto/otlp/common/v1"
	lpb "go.opentelemetry.io/proto/otlp/logs/v1"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/log"
)

// batch makes the messages of the records that are exported together. Each of their attributes, and each record, would take several allocations.
type batch struct {
	records    cpb.Slab[recordMessage]
	attributes cpb.Attributes
}

// recordMessage is the message of a record with what it refers to.
type recordMessage struct {
	record  lpb.LogRecord
	body    cpb.Value
	traceID [16]byte
	spanID  [8]byte
}

func newBatch(records []log.Record) *batch {
	b := &batch{}
	b.records.Expect(len(records))
	for i := range records {
		b.attributes.Expect(records[i].AttributesLen())
	}
	return b
}

// LogRecord returns an OTLP LogRecord generated from record.
func LogRecord(record log.Record) *lpb.LogRecord { return new(batch).record(&record) }

func (b *batch) attr(kv attribute.KeyValue) *cpb.KeyValue {
	message, value := b.attributes.New(string(kv.Key))
	message.Value = attrValue(value, kv.Value)
	return message
}

// attrValue returns the message of a value, which is in the place that is given if it can be.
func attrValue(place *cpb.Value, v attribute.Value) *cpb.AnyValue {
	switch v.Type() {
	case attribute.STRING:
		return place.String(v.AsString())
	case attribute.INT64:
		return place.Int(v.AsInt64())
	default:
		return AttrValue(v)
	}
}
