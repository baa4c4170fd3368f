package logs

import (
	"reflect"
	"unsafe"

	"go.opentelemetry.io/otel/log"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	private "otelobj.private/go.opentelemetry.io/otel/log"
)

// few is for how many attributes a record is converted without another allocation: as many as a record has inside.
const few = 5

// privateRecord converts a record of the program's.
func privateRecord(r log.Record) private.Record {
	var made private.Record
	made.SetEventName(eventName(&r))
	made.SetTimestamp(r.Timestamp())
	made.SetObservedTimestamp(r.ObservedTimestamp())
	made.SetSeverity(private.Severity(r.Severity()))
	made.SetSeverityText(r.SeverityText())
	made.SetBody(privateValue(r.Body()))
	made.SetErr(recordErr(&r))
	var some [few]privateattr.KeyValue
	kvs := some[:0]
	r.WalkAttributes(func(kv keyValue) bool {
		kvs = append(kvs, privateattr.KeyValue{Key: privateattr.Key(kv.Key), Value: privateValue(kv.Value)})
		return true
	})
	made.AddAttributes(kvs...)
	return made
}

// programRecord converts a record of the private API. What the program's API cannot say of it becomes attributes.
func programRecord(r private.Record) log.Record {
	var made log.Record
	made.SetTimestamp(r.Timestamp())
	made.SetObservedTimestamp(r.ObservedTimestamp())
	made.SetSeverity(log.Severity(r.Severity()))
	made.SetSeverityText(r.SeverityText())
	made.SetBody(programValue(r.Body()))
	var some [few]keyValue
	kvs := some[:0]
	r.WalkAttributes(func(kv privateattr.KeyValue) bool {
		kvs = append(kvs, programKeyValue(kv))
		return true
	})
	made.AddAttributes(kvs...)
	if name := r.EventName(); name != "" {
		setEventName(&made, name)
	}
	if err := r.Err(); err != nil {
		setErr(&made, err)
	}
	return made
}

// eventField is where the parameters of Enabled have the name of an event: from 0.13 on.
var eventField, hasEvent = fieldOf("EventName", reflect.TypeFor[string]())

// fieldOf returns the offset of a field of the parameters, in bytes.
func fieldOf(name string, kind reflect.Type) (offset uintptr, ok bool) {
	field, ok := reflect.TypeFor[log.EnabledParameters]().FieldByName(name)
	return field.Offset, ok && field.Type == kind
}

func eventOf(param *log.EnabledParameters) string {
	if !hasEvent {
		return ""
	}
	return *(*string)(unsafe.Add(unsafe.Pointer(param), eventField))
}

func setEvent(param *log.EnabledParameters, name string) {
	if hasEvent {
		*(*string)(unsafe.Add(unsafe.Pointer(param), eventField)) = name
	}
}
