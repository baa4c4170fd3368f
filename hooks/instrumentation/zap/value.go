package zap

import (
	"context"

	"go.uber.org/zap/zapcore"

	"github.com/otelobj/otelobj/hooks/logs"
)

// What the bridge gets instead of the program's fields: the same ones, where values are what logs.Value makes of them. zap's encoders,
// that for consoles included, have them as JSON.

// shown returns fields, which are ours, with their values replaced.
func shown(fields []zapcore.Field) []zapcore.Field {
	for i := range fields {
		f := &fields[i]
		if _, is := f.Interface.(context.Context); is { // the bridge takes it as such
			continue
		}
		switch f.Type {
		case zapcore.ReflectType:
			f.Interface = logs.Value(f.Interface, logs.JSON)
		case zapcore.ErrorType:
			if text, ok := logs.Value(f.Interface, logs.JSON).(string); ok {
				*f = zapcore.Field{Key: f.Key, Type: zapcore.StringType, String: text}
			}
		case zapcore.ObjectMarshalerType, zapcore.InlineMarshalerType:
			if m, ok := f.Interface.(zapcore.ObjectMarshaler); ok {
				f.Interface = object{m}
			}
		case zapcore.ArrayMarshalerType:
			if m, ok := f.Interface.(zapcore.ArrayMarshaler); ok {
				f.Interface = array{m}
			}
		}
	}
	return fields
}

// object and array are marshalers that hand on to those of the program.
type (
	object struct{ of zapcore.ObjectMarshaler }
	array  struct{ of zapcore.ArrayMarshaler }
)

func (o object) MarshalLogObject(e zapcore.ObjectEncoder) error {
	return o.of.MarshalLogObject(objectEncoder{e})
}

func (a array) MarshalLogArray(e zapcore.ArrayEncoder) error {
	return a.of.MarshalLogArray(arrayEncoder{e})
}

type objectEncoder struct{ zapcore.ObjectEncoder }

func (e objectEncoder) AddObject(key string, m zapcore.ObjectMarshaler) error {
	return e.ObjectEncoder.AddObject(key, object{m})
}

func (e objectEncoder) AddArray(key string, m zapcore.ArrayMarshaler) error {
	return e.ObjectEncoder.AddArray(key, array{m})
}

func (e objectEncoder) AddReflected(key string, v any) error {
	return e.ObjectEncoder.AddReflected(key, logs.Value(v, logs.JSON))
}

type arrayEncoder struct{ zapcore.ArrayEncoder }

func (e arrayEncoder) AppendObject(m zapcore.ObjectMarshaler) error {
	return e.ArrayEncoder.AppendObject(object{m})
}

func (e arrayEncoder) AppendArray(m zapcore.ArrayMarshaler) error {
	return e.ArrayEncoder.AppendArray(array{m})
}

func (e arrayEncoder) AppendReflected(v any) error {
	return e.ArrayEncoder.AppendReflected(logs.Value(v, logs.JSON))
}
