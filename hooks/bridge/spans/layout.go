package spans

import (
	"reflect"
	"time"
	"unsafe"

	"go.opentelemetry.io/otel/trace"

	private "otelobj.private/go.opentelemetry.io/otel/trace"

	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"

	"github.com/otelobj/otelobj/hooks/bridge/attrs"
)

// What is reinterpreted instead of converted: span contexts, and the configs that options make. Their layout has been the same since 1.0.1. A fork of
// the API may have another one, so it is compared at start.

// spanConfig is private.SpanConfig with fields that can be set.
type spanConfig struct {
	attributes []privateattr.KeyValue
	timestamp  time.Time
	links      []private.Link
	newRoot    bool
	spanKind   private.SpanKind
	stackTrace bool
}

// usable reports whether all layouts are as the bridge relies on.
func usable() bool {
	return attrs.Same(reflect.TypeFor[trace.SpanContext](), reflect.TypeFor[private.SpanContext]()) &&
		attrs.Same(reflect.TypeFor[trace.SpanConfig](), reflect.TypeFor[private.SpanConfig]()) &&
		attrs.Same(reflect.TypeFor[private.SpanConfig](), reflect.TypeFor[spanConfig]()) &&
		attrs.Same(reflect.TypeFor[trace.Link](), reflect.TypeFor[private.Link]())
}

// PrivateContext converts a span context of the program's.
func PrivateContext(sc trace.SpanContext) private.SpanContext {
	return *(*private.SpanContext)(unsafe.Pointer(&sc))
}

func programContext(sc private.SpanContext) trace.SpanContext {
	return *(*trace.SpanContext)(unsafe.Pointer(&sc))
}

// privateConfig converts what options of the program's API say. The attributes inside may need more than reinterpreting.
func privateConfig(config trace.SpanConfig) private.SpanConfig {
	made := *(*spanConfig)(unsafe.Pointer(&config))
	made.attributes = attrs.Private(config.Attributes())
	for i, link := range config.Links() {
		if as := attrs.Private(link.Attributes); len(as) > 0 && &as[0] != &made.links[i].Attributes[0] {
			made.links = privateLinks(config.Links())
			break
		}
	}
	return *(*private.SpanConfig)(unsafe.Pointer(&made))
}

func privateLinks(links []trace.Link) []private.Link {
	made := make([]private.Link, len(links))
	for i, link := range links {
		made[i] = privateLink(link)
	}
	return made
}

func privateLink(link trace.Link) private.Link {
	return private.Link{SpanContext: PrivateContext(link.SpanContext), Attributes: attrs.Private(link.Attributes)}
}

func programLink(link private.Link) trace.Link {
	return trace.Link{SpanContext: programContext(link.SpanContext), Attributes: attrs.Program(link.Attributes)}
}
