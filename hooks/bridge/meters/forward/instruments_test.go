package forward

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
)

// What is remembered of sets of attributes is bounded, and stays: a stream of new ones does not push out those that come again.
func TestSetsAreRemembered(t *testing.T) {
	var c setCache
	of := func(kvs ...attribute.KeyValue) *conveyed { return c.of(attribute.NewSet(kvs...)) }
	first := of(attribute.Int("i", -1))
	for i := range 2 * maxSets {
		of(attribute.Int("i", i))
	}
	if len(c.sets) != maxSets || of(attribute.Int("i", -1)) != first {
		t.Errorf("%d sets", len(c.sets))
	}
	c = setCache{}
	large := attribute.String("s", strings.Repeat("v", maxSetSize))
	if of(large, attribute.Int("i", 1)) == nil || len(c.sets) != 0 {
		t.Error("a large set is kept")
	}
}
