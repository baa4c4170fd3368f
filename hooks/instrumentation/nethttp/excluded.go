package nethttp

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/otel"

	"github.com/otelobj/otelobj/hooks/rt"
	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// excludedVariable names paths that should have no spans, such as those of health checks. OpenTelemetry has no variable for that in all
// languages; some, such as Python, have their own.
const excludedVariable = "OTELOBJ_HTTP_EXCLUDED_PATHS"

// excludedPaths are the patterns of the variable.
var excludedPaths = readPatterns(environ.Get(excludedVariable))

func init() {
	if rt.Linked() && !strings.EqualFold(environ.Get("OTEL_LOG_LEVEL"), "none") {
		for _, p := range excludedPaths {
			if begin := p[0]; begin.open != remainder && !strings.HasPrefix(begin.text, "/") {
				otel.Handle(fmt.Errorf("otelobj: %s: a pattern that begins with neither / nor * matches no path: %q", excludedVariable, begin.text))
			}
		}
	}
}

// pattern is a path in which some parts are open.
type pattern []part

// part is a text and what follows it.
type part struct {
	text string
	open openness
}

type openness int

const (
	nothing   openness = iota
	segment            // one segment of a path, which is not empty: {name} of http.ServeMux
	remainder          // anything: *, or {name...}
)

// readPatterns reads a list of paths or routes, separated by commas.
func readPatterns(list string) []pattern {
	var patterns []pattern
	for _, text := range strings.Split(list, ",") {
		if text = strings.TrimSpace(text); text != "" {
			patterns = append(patterns, readPattern(text))
		}
	}
	return patterns
}

func readPattern(text string) pattern {
	var p pattern
	begun := 0
	for i := 0; i < len(text); i++ {
		switch end := strings.IndexByte(text[i:], '}'); {
		case text[i] == '*':
			p = append(p, part{text[begun:i], remainder})
			begun = i + 1
		case text[i] == '{' && end > 0:
			open, name := segment, text[i+1:i+end]
			if strings.HasSuffix(name, "...") {
				open = remainder
			}
			if name == "$" { // the end of a path, which is where every pattern ends here
				open = nothing
			}
			p = append(p, part{text[begun:i], open})
			i += end
			begun = i + 1
		}
	}
	return append(p, part{text[begun:], nothing})
}

// matches tries the parts after a remainder at one place after the other, and never the parts before it again, because anyone can send a path.
func (p pattern) matches(path string) bool {
	again, from := 0, "" // where to continue after a mismatch: the part after the last remainder, and the path that it was tried on
	for i := 0; ; {
		rest, ok := p[i].cut(path)
		if last := i == len(p)-1; ok && last && rest == "" {
			return true
		} else if ok && !last {
			if i++; p[i-1].open == remainder {
				again, from = i, rest
			}
			path = rest
			continue
		}
		if again == 0 || from == "" {
			return false
		}
		from = from[1:]
		i, path = again, from
	}
}

// cut returns what follows the text and, if there is one, the segment.
func (p part) cut(path string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(path, p.text); !ok || p.open != segment {
		return rest, ok
	}
	end := strings.IndexByte(rest, '/')
	if end < 0 {
		end = len(rest)
	}
	return rest[end:], end > 0
}

// isExcluded reports whether requests for this path should have no span.
func isExcluded(path string) bool {
	for _, p := range excludedPaths {
		if p.matches(path) {
			return true
		}
	}
	return false
}
