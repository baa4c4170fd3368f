package probe

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// oneWrite is held by whoever is writing.
var oneWrite sync.Mutex

// Write writes the file that OTELOBJ_PROBE_OUT names, with what was measured until now. Without the variable it does nothing.
func Write() {
	place := os.Getenv("OTELOBJ_PROBE_OUT")
	if place == "" {
		return
	}
	counts := Counts() // before anything that is done here is counted
	oneWrite.Lock()
	defer oneWrite.Unlock()
	place = strings.ReplaceAll(place, "%p", strconv.Itoa(os.Getpid()))
	if err := replace(place, encode(counts)); err != nil {
		os.Stderr.WriteString("otelobj: OTELOBJ_PROBE_OUT: " + err.Error() + "\n")
	}
}

// replace writes a file whole or not at all; what is no regular file (a pipe, a terminal) is written to as it is.
func replace(place string, data []byte) error {
	if info, err := os.Stat(place); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(place, data, 0o666)
	}
	fresh := place + "." + strconv.Itoa(os.Getpid())
	if err := os.WriteFile(fresh, data, 0o666); err != nil {
		os.Remove(fresh)
		return err
	}
	return os.Rename(fresh, place)
}

// encode makes the JSON text, names in order.
func encode(counts map[string]uint64) []byte {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.Sort(names)
	out := []byte(`{"functions": {`)
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, "\n  "...)
		out = quote(out, name)
		out = append(out, ": "...)
		out = strconv.AppendUint(out, counts[name], 10)
	}
	return append(out, "\n}}\n"...)
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
