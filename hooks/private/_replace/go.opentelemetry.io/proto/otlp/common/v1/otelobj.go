package v1

// Slab hands out values of one type from pieces of memory that hold many, so that a batch takes few allocations. A piece lives as long as any value from it.
type Slab[T any] struct {
	free []T
	left int // to come, about
}

// piece is how many values a piece of memory holds at most, unless more are asked for at once: some ten kilobytes of messages.
const piece = 128

// Expect says that about so many values more will be taken, so that nothing is left over.
func (s *Slab[T]) Expect(n int) { s.left += n }

// Take returns n zero values, side by side.
func (s *Slab[T]) Take(n int) []T {
	if n > len(s.free) {
		s.free = make([]T, max(n, min(s.left, piece)))
	}
	taken := s.free[:n:n]
	s.free = s.free[n:]
	s.left -= n
	return taken
}

// Attributes makes the messages of attributes, for one batch.
type Attributes struct {
	messages   Slab[attribute]
	references Slab[*KeyValue]
}

// attribute is a KeyValue with what it refers to, for the kinds of values that nearly all have.
type attribute struct {
	keyValue KeyValue
	value    Value
}

// Value is an AnyValue with what it refers to, if that is a string or a number.
type Value struct {
	any    AnyValue
	text   AnyValue_StringValue
	number AnyValue_IntValue
}

// String sets the value, and returns the message.
func (v *Value) String(s string) *AnyValue {
	v.text.StringValue = s
	v.any.Value = &v.text
	return &v.any
}

// Int sets the value, and returns the message.
func (v *Value) Int(n int64) *AnyValue {
	v.number.IntValue = n
	v.any.Value = &v.number
	return &v.any
}

// Expect says that about so many attributes more will be made.
func (a *Attributes) Expect(n int) {
	a.messages.Expect(n)
	a.references.Expect(n)
}

// List returns an empty list with room for n attributes.
func (a *Attributes) List(n int) []*KeyValue { return a.references.Take(n)[:0] }

// New returns the message of an attribute that has a key only, and where its value may be.
func (a *Attributes) New(key string) (*KeyValue, *Value) {
	one := &a.messages.Take(1)[0]
	one.keyValue.Key = key
	return &one.keyValue, &one.value
}
