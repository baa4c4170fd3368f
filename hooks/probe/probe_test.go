package probe

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestCountsOfOneNameAddUp(t *testing.T) {
	tables = []*table{{"a.f\na.g\n", []uint64{3, 0}}, nil, {"a.f\n", []uint64{4}}}
	defer func() { tables = nil }()
	got := Counts()
	if len(got) != 1 || got["a.f"] != 7 {
		t.Errorf("got %v, want a.f: 7", got)
	}
}

func TestWrite(t *testing.T) {
	strange := "a.f[go.shape.struct { X int \"json:\\\"x\\\"\" }]\x01\xff\u00b7"
	tables = []*table{{"a.g\n" + strange + "\n", []uint64{1 << 63, 2}}}
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
