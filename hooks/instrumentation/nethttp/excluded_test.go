package nethttp

import (
	"strings"
	"testing"
)

func TestExcludedPaths(t *testing.T) {
	for list, paths := range map[string]struct{ in, out string }{
		"":                             {"", "/ /healthz"},
		"/healthz":                     {"/healthz", "/ /healthz/ /healthz/a /Healthz /ahealthz"},
		" /healthz , ,/metrics":        {"/healthz /metrics", "/ /metric"},
		"/debug/*":                     {"/debug/ /debug/pprof/heap", "/debug /debugger"},
		"/*/live":                      {"/a/live /a/b/live //live", "/live /a/lives"},
		"*":                            {"/ /a/b *", ""},
		"*z":                           {"/healthz /readyz /z/z", "/healthz/"},
		"/users/{id}/photo":            {"/users/7/photo", "/users//photo /users/7/8/photo /users/7/photo/"},
		"/files/{path...}":             {"/files/ /files/a/b", "/files"},
		"/{$}":                         {"/", "/a"},
		"/a{b":                         {"/a{b", "/a /ab"},
		"/**/x*y":                      {"/a/xy /a/b/x/y", "/axy /a/x"},
		"/{a}/{b}":                     {"/1/2", "/1 /1/ /1/2/3"},
		strings.Repeat("*a", 30) + "b": {strings.Repeat("a", 30) + "b", strings.Repeat("a", 29) + "b"},
	} {
		excludedPaths = readPatterns(list)
		for _, path := range strings.Fields(paths.in) {
			if !isExcluded(path) {
				t.Errorf("%q: %s is not excluded", list, path)
			}
		}
		for _, path := range strings.Fields(paths.out) {
			if isExcluded(path) {
				t.Errorf("%q: %s is excluded", list, path)
			}
		}
	}
	excludedPaths = nil
}
