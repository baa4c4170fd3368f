package zerolog

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// maxDepth is how deep values are looked into: what is below stays JSON.
const maxDepth = 16

// parse reads a JSON object, in the order of its fields. Of a name that comes twice the last one counts, as for readers of JSON.
func parse(text []byte) (object []attribute.KeyValue, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	object, err := pairs(d, maxDepth)
	return object, err == nil
}

// pairs reads up to the end of an object.
func pairs(d *json.Decoder, depth int) ([]attribute.KeyValue, error) {
	var object []attribute.KeyValue
	at := map[string]int{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := value(d, depth-1)
		if err != nil {
			return nil, err
		}
		name := key.(string)
		kv := attribute.KeyValue{Key: attribute.Key(name), Value: v}
		if i, twice := at[name]; twice {
			object[i] = kv
			continue
		}
		at[name] = len(object)
		object = append(object, kv)
	}
	_, err := d.Token()
	return object, err
}

func value(d *json.Decoder, depth int) (v attribute.Value, err error) {
	if depth == 0 {
		var raw json.RawMessage
		err = d.Decode(&raw)
		return attribute.StringValue(string(raw)), err
	}
	t, err := d.Token()
	if err != nil {
		return v, err
	}
	switch t := t.(type) {
	case bool:
		return attribute.BoolValue(t), nil
	case string:
		return attribute.StringValue(t), nil
	case json.Number:
		return number(t), nil
	case json.Delim:
		if t == '{' {
			object, err := pairs(d, depth)
			return attribute.MapValue(object...), err
		}
		var list []attribute.Value
		for d.More() {
			item, err := value(d, depth-1)
			if err != nil {
				return v, err
			}
			list = append(list, item)
		}
		_, err = d.Token()
		return attribute.SliceValue(list...), err
	}
	return v, nil // null
}

// number is an integer if it is written as one and fits, else a fraction, or the text if that does not fit either.
func number(n json.Number) attribute.Value {
	if !strings.ContainsAny(n.String(), ".eE") {
		if i, err := n.Int64(); err == nil {
			return attribute.Int64Value(i)
		}
		return attribute.StringValue(n.String())
	}
	if f, err := n.Float64(); err == nil {
		return attribute.Float64Value(f)
	}
	return attribute.StringValue(n.String())
}
