package spans

import (
	"reflect"
	"unsafe"

	"go.opentelemetry.io/otel/trace"

	private "otelobj.private/go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/bridge/sides"
)

// Providers knows who does the work: the private API's provider, and the program's, once it has set one.
type Providers struct {
	sides.Providers[private.TracerProvider, trace.TracerProvider]
	forward kept[scope, *forwardTracer]
	reverse kept[scope, *reverseTracer]
}

type state = sides.State[private.TracerProvider, trace.TracerProvider]

// Forward returns the provider that the program is given.
func (p *Providers) Forward() trace.TracerProvider { return &forwardProvider{providers: p} }

// Reverse returns the provider that the private API is given.
func (p *Providers) Reverse() private.TracerProvider { return &reverseProvider{providers: p} }

// IsForward reports whether a provider is one that Forward has returned.
func IsForward(tp trace.TracerProvider) bool {
	_, ok := tp.(*forwardProvider)
	return ok
}

// IsReverse reports whether a provider is one that Reverse has returned.
func IsReverse(tp private.TracerProvider) bool {
	_, ok := tp.(*reverseProvider)
	return ok
}

// Providers of spans, by what spans say is theirs. Most programs have one of each kind.
var (
	ofOurs   = kept[words, *Providers]{bound: 16}
	ofTheirs = kept[words, *Providers]{bound: 16}
)

// fixedOurs returns a Providers with a provider of the private API, of which nothing changes.
func fixedOurs(ours private.TracerProvider) *Providers {
	return fixed(&ofOurs, ours, *(*words)(unsafe.Pointer(&ours)), state{Ours: ours})
}

// fixedTheirs is fixedOurs for a provider of the program's.
func fixedTheirs(theirs trace.TracerProvider) *Providers {
	return fixed(&ofTheirs, theirs, *(*words)(unsafe.Pointer(&theirs)), state{First: theirs, Theirs: theirs})
}

// fixed keeps what is made for a pointer: other values have another address each time.
func fixed(of *kept[words, *Providers], provider any, key words, s state) *Providers {
	make := func() *Providers {
		p := &Providers{}
		p.Begin(s)
		return p
	}
	if t := reflect.TypeOf(provider); t == nil || t.Kind() != reflect.Pointer {
		return make()
	}
	return of.of(key, make)
}

// identical compares interfaces by their words: == panics where the dynamic type cannot be compared.
func identical(a, b *private.Span) bool {
	return *(*words)(unsafe.Pointer(a)) == *(*words)(unsafe.Pointer(b))
}
