//go:build !otelapi_log_values

package logs

import (
	"go.opentelemetry.io/otel/attribute"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
)

type keyValue = attribute.KeyValue

func privateValue(v attribute.Value) privateattr.Value { return attrs.PrivateValue(v) }

func programValue(v privateattr.Value) attribute.Value { return attrs.ProgramValue(v) }

func programKeyValue(kv privateattr.KeyValue) attribute.KeyValue {
	return attribute.KeyValue{Key: attribute.Key(kv.Key), Value: attrs.ProgramValue(kv.Value)}
}
