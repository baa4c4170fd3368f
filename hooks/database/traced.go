package database

import (
	"reflect"
	"strings"
)

// tracers are packages of tracers for pgx that make spans of OpenTelemetry.
var tracers = []string{"github.com/exaring/otelpgx", "github.com/pgx-contrib/pgxotel"}

// IsBelow reports whether an import path is that of one of the packages, or below it.
func IsBelow(path string, packages []string) bool {
	for _, p := range packages {
		if rest, ok := strings.CutPrefix(path, p); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// MakesSpans reports whether a tracer that the program has given to pgx makes spans, alone or in a list of several (pgx's multitracer).
func MakesSpans(tracer reflect.Value) bool { return makesSpans(tracer, 0) }

const (
	maxDepth   = 3  // of tracers in tracers
	maxTracers = 16 // in a list
)

func makesSpans(v reflect.Value, depth int) bool {
	for v.IsValid() && (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer) {
		v = v.Elem()
	}
	if !v.IsValid() || depth > maxDepth {
		return false
	}
	if IsBelow(v.Type().PkgPath(), tracers) {
		return true
	}
	if v.Kind() != reflect.Struct {
		return false
	}
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Interface:
			if makesSpans(f, depth+1) {
				return true
			}
		case reflect.Slice:
			for j := 0; f.Type().Elem().Kind() == reflect.Interface && j < min(f.Len(), maxTracers); j++ {
				if makesSpans(f.Index(j), depth+1) {
					return true
				}
			}
		}
	}
	return false
}
