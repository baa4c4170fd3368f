package probe

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// gone stands for a table that the linker has dropped: there is code at its address, not a table.
var gone = (*table)(reflect.ValueOf(os.Getpid).UnsafePointer())

func TestCountsOfOneNameAddUp(t *testing.T) {
	tables = []*table{gone, {Names: "a.f\na.g\n", Counts: []uint64{3, 0}}, gone, {Names: "a.f\n", Counts: []uint64{4}}}
	defer func() { tables = nil }()
	got := Counts()
	if len(got) != 1 || got["a.f"] != 7 {
		t.Errorf("got %v, want a.f: 7", got)
	}
}

func TestWrite(t *testing.T) {
	strange := "a.f[go.shape.struct { X int \"json:\\\"x\\\"\" }]\x01\xff\u00b7"
	tables = []*table{gone, {Names: "a.g\n" + strange + "\n", Counts: []uint64{1 << 63, 2}}}
	defer func() { tables = nil }()
	folder := t.TempDir()
	t.Setenv("OTELOBJ_PROBE_OUT", filepath.Join(folder, "out-%p.json"))
	Write()
	Write()
	found, _ := filepath.Glob(filepath.Join(folder, "*"))
	if len(found) != 1 {
		t.Fatalf("files: %v", found)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Functions map[string]uint64 }
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	want := "a.f[go.shape.struct { X int \"json:\\\"x\\\"\" }]\x01\ufffd\u00b7"
	if len(got.Functions) != 2 || got.Functions["a.g"] != 1<<63 || got.Functions[want] != 2 {
		t.Errorf("got %q", got.Functions)
	}
}

func TestNothingIsLeftBehindWhereNothingCanBeWritten(t *testing.T) {
	folder := t.TempDir()
	place := filepath.Join(folder, "missing", "out.json")
	if err := replace(place, nil); err == nil {
		t.Error("no error")
	}
	if found, _ := filepath.Glob(filepath.Join(folder, "*")); len(found) != 0 {
		t.Errorf("files: %v", found)
	}
}

func TestHistograms(t *testing.T) {
	one := &table{Timed: "a.f\na.g\n", Histograms: make([]histogram, 2)}
	two := &table{Timed: "a.f\n", Histograms: make([]histogram, 1)}
	tables = []*table{gone, one, gone, two}
	defer func() { tables = nil }()
	one.Histograms[0].Add(10)
	one.Histograms[0].Add(11)
	two.Histograms[0].Add(-5) // a clock that went back
	got := Histograms()
	if l := got["a.f"]; len(got) != 1 || l.Calls != 3 || l.Sum != 21 || len(l.Buckets) != 2 || l.Buckets[1] != (Bucket{10, 12, 2}) {
		t.Errorf("got %v", got)
	}
	var parsed struct {
		Latencies map[string]struct {
			Calls   uint64
			Sum     uint64      `json:"sum_ns"`
			Buckets [][3]uint64 `json:"buckets_ns"`
		}
	}
	if err := json.Unmarshal(encode(nil, got), &parsed); err != nil || parsed.Latencies["a.f"].Buckets[1] != [3]uint64{10, 12, 2} {
		t.Errorf("%v: %v", err, parsed)
	}
}

// TestNoRegularFileIsMadeOrEmptied where a pipe was a moment ago.
func TestNoRegularFileIsMadeOrEmptied(t *testing.T) {
	place := filepath.Join(t.TempDir(), "out")
	if done, err := writeTo(place, []byte("x")); done || err == nil {
		t.Error(done, err)
	}
	if err := os.WriteFile(place, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if done, err := writeTo(place, []byte("x")); done || err != nil {
		t.Error(done, err)
	}
	if text, err := os.ReadFile(place); string(text) != "mine" || err != nil {
		t.Errorf("%q %v", text, err)
	}
	if done, err := writeTo(os.DevNull, []byte("x")); !done || err != nil {
		t.Error(done, err)
	}
}
