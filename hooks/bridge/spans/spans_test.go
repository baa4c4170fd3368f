package spans_test

import (
	"fmt"
	"reflect"
	"strings"
)

// What contexts may lose: the keys of one copy of the API, which are known by the package of their type.

func keysOf(copy string) func(any) bool {
	return func(key any) bool {
		t := reflect.TypeOf(key)
		return t != nil && strings.HasPrefix(t.PkgPath(), copy)
	}
}

var (
	programKeys = keysOf("go.opentelemetry.io/otel")
	privateKeys = keysOf("otelobj.private/go.opentelemetry.io/otel")
)

var _ = fmt.Sprint
