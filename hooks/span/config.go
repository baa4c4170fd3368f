package span

// config describes the span of one rule for one function. The link step writes it by field name; it finds the fields in the type's descriptor.
type config struct {
	Title    string // the span's name if the rule gives none
	Function string // as runtime.FuncForPC prints it
	File     string
	Line     int
	Name     []part
	Kind     int // of trace.SpanKind

	AtEntry  []attr
	AtReturn []attr
	Errors   []value // results of type error

	HasContext int
	Context    uintptr // of the context.Context parameter, in the args area
}

// enrichment describes what one rule adds to the span that is current when a function runs. It is written like a config.
type enrichment struct {
	AtEntry  []attr
	AtReturn []attr
	Route    []part // of the server's span; empty: the rule names none
	Late     int    // the route is known only when the function returns

	HasContext int
	Context    uintptr // of the context.Context parameter, in the args area
}

// part of a text: a literal or, if there is one, a value.
type part struct {
	Text  string
	Value *value
}

// attr is an attribute.
type attr struct {
	Key   string
	Value value
}

// value says how to read a value.
type value struct {
	Offsets  []int32 // the first one in its area, each further one from the pointer that was read
	Kind     uint32  // reflect.Kind of what is there
	Elem     uint32  // reflect.Kind of the elements of a slice
	ElemSize uint32
	Flags    uint32
	Fields   []string // to look up in the dynamic type of the interface that is there
}

// Flags of value.
const (
	inArgs = 1 << iota // in the args area, not in that of the results
	empty              // an interface without methods
	count              // the length is the value
)

// The link step needs the descriptors of these types in the archive.
var keepTypes = [...]any{(*config)(nil), (*enrichment)(nil), (*part)(nil), (*attr)(nil), (*value)(nil)}
