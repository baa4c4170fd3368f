//go:build otelapi_log_values

package logs

import (
	"go.opentelemetry.io/otel/log"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
)

// Until 0.20 the log API has values of its own.
type keyValue = log.KeyValue

func privateValue(v log.Value) privateattr.Value {
	switch v.Kind() {
	case log.KindBool:
		return privateattr.BoolValue(v.AsBool())
	case log.KindInt64:
		return privateattr.Int64Value(v.AsInt64())
	case log.KindFloat64:
		return privateattr.Float64Value(v.AsFloat64())
	case log.KindString:
		return privateattr.StringValue(v.AsString())
	case log.KindBytes:
		return privateattr.ByteSliceValue(v.AsBytes())
	case log.KindSlice:
		values := v.AsSlice()
		made := make([]privateattr.Value, len(values))
		for i := range values {
			made[i] = privateValue(values[i])
		}
		return privateattr.SliceValue(made...)
	case log.KindMap:
		kvs := v.AsMap()
		made := make([]privateattr.KeyValue, len(kvs))
		for i := range kvs {
			made[i] = privateattr.KeyValue{Key: privateattr.Key(kvs[i].Key), Value: privateValue(kvs[i].Value)}
		}
		return privateattr.MapValue(made...)
	default:
		return privateattr.Value{}
	}
}

func programKeyValue(kv privateattr.KeyValue) log.KeyValue {
	return log.KeyValue{Key: string(kv.Key), Value: programValue(kv.Value)}
}

func programValue(v privateattr.Value) log.Value {
	switch v.Type() {
	case privateattr.BOOL:
		return log.BoolValue(v.AsBool())
	case privateattr.INT64:
		return log.Int64Value(v.AsInt64())
	case privateattr.FLOAT64:
		return log.Float64Value(v.AsFloat64())
	case privateattr.STRING:
		return log.StringValue(v.AsString())
	case privateattr.BYTESLICE:
		return log.BytesValue(v.AsByteSlice())
	case privateattr.BOOLSLICE:
		return list(v.AsBoolSlice(), log.BoolValue)
	case privateattr.INT64SLICE:
		return list(v.AsInt64Slice(), log.Int64Value)
	case privateattr.FLOAT64SLICE:
		return list(v.AsFloat64Slice(), log.Float64Value)
	case privateattr.STRINGSLICE:
		return list(v.AsStringSlice(), log.StringValue)
	case privateattr.SLICE:
		return list(v.AsSlice(), programValue)
	case privateattr.MAP:
		kvs := v.AsMap()
		made := make([]log.KeyValue, len(kvs))
		for i := range kvs {
			made[i] = programKeyValue(kvs[i])
		}
		return log.MapValue(made...)
	case privateattr.EMPTY:
		return log.Value{}
	default:
		return log.StringValue(v.String())
	}
}

func list[V any](values []V, value func(V) log.Value) log.Value {
	made := make([]log.Value, len(values))
	for i := range values {
		made[i] = value(values[i])
	}
	return log.SliceValue(made...)
}
