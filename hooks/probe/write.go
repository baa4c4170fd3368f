package probe

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// oneWrite is held while probes are written.
var oneWrite sync.Mutex

// outVariable names the file.
const outVariable = "OTELOBJ_PROBE_OUT"

// Write writes the file that OTELOBJ_PROBE_OUT names, with what was measured until now. Without the variable it does nothing.
func Write() {
	place := environ.Get(outVariable)
	if place == "" {
		return
	}
	counts, latencies := Counts(), Histograms() // before anything that is done here is measured
	oneWrite.Lock()
	defer oneWrite.Unlock()
	place = strings.ReplaceAll(place, "%p", strconv.Itoa(os.Getpid()))
	if err := replace(place, encode(counts, latencies)); err != nil {
		os.Stderr.WriteString("otelobj: " + outVariable + ": " + err.Error() + "\n")
	}
}

// replace writes a file whole or not at all; what is no regular file (a pipe, a terminal) is written to as it is.
func replace(place string, data []byte) error {
	if info, err := os.Stat(place); err == nil && !info.Mode().IsRegular() {
		if done, err := writeTo(place, data); done || err != nil {
			return err
		}
	}
	// Under a name that nobody can know before (O_EXCL does not follow links).
	folder, name := ".", place
	if i := strings.LastIndexByte(place, os.PathSeparator); i >= 0 {
		folder, name = place[:i+1], place[i+1:]
	}
	file, err := os.CreateTemp(folder, "."+name+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if e := file.Chmod(readable); err == nil {
		err = e
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(file.Name(), place)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// writeTo writes to what is no regular file. It neither makes nor empties one, should somebody have put that there meanwhile, and returns false then.
func writeTo(place string, data []byte) (bool, error) {
	file, err := os.OpenFile(place, os.O_WRONLY, 0)
	if err != nil {
		return false, err
	}
	info, err := file.Stat()
	if err != nil || info.Mode().IsRegular() {
		file.Close()
		return false, err
	}
	_, err = file.Write(data)
	if e := file.Close(); err == nil {
		err = e
	}
	return true, err
}

// readable is the mode of the file: for this user alone to write.
const readable = 0o644

// encode makes the JSON text, names in order.
func encode(counts map[string]uint64, latencies map[string]Latencies) []byte {
	out := []byte(`{"functions": {`)
	out = members(out, counts, strconv.AppendUint)
	out = append(out, `}, "latencies": {`...)
	out = members(out, latencies, func(out []byte, l Latencies, base int) []byte {
		out = strconv.AppendUint(append(out, `{"calls": `...), l.Calls, base)
		out = strconv.AppendUint(append(out, `, "sum_ns": `...), l.Sum, base)
		out = append(out, `, "buckets_ns": [`...)
		for i, b := range l.Buckets {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = strconv.AppendUint(append(out, '['), b.Low, base)
			out = strconv.AppendUint(append(out, ", "...), b.High, base)
			out = strconv.AppendUint(append(out, ", "...), b.Calls, base)
			out = append(out, ']')
		}
		return append(out, "]}"...)
	})
	return append(out, "}}\n"...)
}

// members appends those of a JSON object, a line each.
func members[T any](out []byte, all map[string]T, value func(out []byte, v T, base int) []byte) []byte {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = quote(append(out, "\n  "...), name)
		out = value(append(out, ": "...), all[name], 10)
	}
	if len(names) > 0 {
		out = append(out, '\n')
	}
	return out
}

// quote appends a JSON string. Names of symbols hold quotes and backslashes where a type argument has struct tags.
func quote(out []byte, text string) []byte {
	out = append(out, '"')
	for i, r := range text {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r < ' ':
			out = append(out, '\\', 'u', '0', '0', '0'+byte(r>>4), "0123456789abcdef"[r&15])
		case r == utf8.RuneError && text[i] != "\uFFFD"[0]:
			out = append(out, `\ufffd`...)
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return append(out, '"')
}
