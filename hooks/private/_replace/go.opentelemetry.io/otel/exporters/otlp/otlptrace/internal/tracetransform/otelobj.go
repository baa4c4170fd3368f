package tracetransform

import (
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"go.opentelemetry.io/otel/attribute"
	tracesdk "go.opentelemetry.io/otel/sdk/trace"
)

// batch makes the messages of the spans that are exported together. Each of their attributes, and each span, would take several allocations.
type batch struct {
	spans      commonpb.Slab[spanMessage]
	attributes commonpb.Attributes
}

// spanMessage is the message of a span with what it refers to.
type spanMessage struct {
	span           tracepb.Span
	status         tracepb.Status
	traceID        [16]byte
	spanID, parent [8]byte
}

func newBatch(spans []tracesdk.ReadOnlySpan) *batch {
	b := &batch{}
	b.spans.Expect(len(spans))
	for _, span := range spans {
		if span != nil {
			b.attributes.Expect(len(span.Attributes()))
		}
	}
	return b
}

func span(sd tracesdk.ReadOnlySpan) *tracepb.Span { return new(batch).span(sd) }

func (b *batch) keyValues(attrs []attribute.KeyValue) []*commonpb.KeyValue {
	if len(attrs) == 0 {
		return nil
	}
	list := b.attributes.List(len(attrs))
	for _, kv := range attrs {
		list = append(list, b.keyValue(kv))
	}
	return list
}

func (b *batch) keyValue(kv attribute.KeyValue) *commonpb.KeyValue {
	message, value := b.attributes.New(string(kv.Key))
	switch kv.Value.Type() {
	case attribute.STRING:
		message.Value = value.String(kv.Value.AsString())
	case attribute.INT64:
		message.Value = value.Int(kv.Value.AsInt64())
	default:
		message.Value = Value(kv.Value)
	}
	return message
}
