package difftest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rewrite is a difference that is meant: lines of otelhttp are rewritten before they are compared.
type rewrite struct {
	pattern, to string
	why         string
}

// always holds for every case.
var always = []rewrite{
	{`^(span server\((?:[A-Z]+) (/[^)]*)\).*\[.*)(network\.peer\.address)`, "${1}http.route=${2} ${3}",
		"http.route is on the span, too, not in its name only"},
	{`^(metric http\.server.*) server\.address=\S+(?: server\.port=\d*[A-Z]*)?`, "${1}", "what a client writes into its Host header is no attribute of a metric"},
}

type diffCase struct {
	name    string
	proto   proto
	spans   int
	run     func(f *fixture)
	differs []rewrite
}

const big = 100_000

func mux() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /ok/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("ok " + r.PathValue("id"))) })
	m.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		switch r.PathValue("code") {
		case "500":
			http.Error(w, "sorry", http.StatusInternalServerError)
		case "204":
			w.WriteHeader(http.StatusNoContent)
		case "304":
			w.WriteHeader(http.StatusNotModified)
		case "302":
			http.Redirect(w, r, "/ok/redirected", http.StatusFound)
		case "700":
			w.WriteHeader(700)
		case "silent":
		}
	})
	m.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	})
	m.HandleFunc("POST /ignore", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	m.HandleFunc("/flush", func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
		}
	})
	m.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	m.HandleFunc("/late-panic", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		panic(errors.New("late"))
	})
	m.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	m.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, big)) })
	m.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		slow <- struct{}{}
		<-r.Context().Done()
	})
	return m
}

func cases() []diffCase {
	version2 := rewrite{`^((?:span client|metric http\.client).*network\.protocol\.version=)1\.1`, "${1}2.0",
		"the protocol that was negotiated, not that of the request"}
	list := []diffCase{
		{name: "not found", spans: 2, run: func(f *fixture) { f.do("GET", "/nothing", "") }},
		{name: "ok and 500", spans: 6, run: func(f *fixture) {
			f.do("GET", "/ok/7", "")
			f.do("GET", "/status/500", "")
			f.do("GET", "/status/silent", "")
		}},
		{name: "without body", spans: 6, run: func(f *fixture) {
			f.do("GET", "/status/204", "")
			f.do("GET", "/status/304", "")
			f.do("HEAD", "/big", "")
		}},
		{name: "redirect", spans: 4, run: func(f *fixture) { f.do("GET", "/status/302", "") }, differs: []rewrite{
			{`^(span client.*status_code=200) server`, "$1 network.protocol.version=1.1 server", "net/http sets no protocol on the request that follows"},
			{`^(metric http\.client.*status_code=200) server`, "$1 network.protocol.name=http network.protocol.version=1.1 server", "the same"},
		}},
		{name: "post", spans: 2, run: func(f *fixture) { f.do("POST", "/echo", strings.Repeat("x", big)) }},
		{name: "post unread", spans: 2, run: func(f *fixture) { f.do("POST", "/ignore", "hello") }},
		{name: "post chunked", spans: 2, run: func(f *fixture) {
			f.do("POST", "/echo", "hello", func(r *http.Request) {
				r.ContentLength, r.GetBody = -1, nil
				r.Body = io.NopCloser(strings.NewReader("hello"))
			})
		}},
		{name: "flush", spans: 2, run: func(f *fixture) { f.do("GET", "/flush", "") }},
		{name: "big", spans: 2, run: func(f *fixture) { f.do("GET", "/big", "") }},
		{name: "headers", spans: 2, run: func(f *fixture) {
			f.do("GET", "/ok/7?q=1", "", func(r *http.Request) {
				r.Header.Set("User-Agent", "tester/1")
				r.Header.Set("X-Forwarded-For", "10.0.0.1, 10.0.0.2")
				r.Header.Set("Baggage", "a=b")
				r.URL.User = nil
				r.Host = "example.com:8080"
			})
		}},
		{name: "dial error", spans: 1, run: func(f *fixture) {
			f.server.Close()
			f.do("POST", "/ok/7", "never read")
		}, differs: []rewrite{{`^(metric http\.client.*\[)http`, "${1}error.type=net.OpError http", "failed requests say how, as in newer otelhttp"}}},
		{name: "cancelled", spans: 2, run: func(f *fixture) {
			ended := make(chan struct{})
			go func() { <-slow; close(ended) }()
			f.do("GET", "/slow", "", func(r *http.Request) { *r = *r.WithContext(expiring{f.t.Context(), ended}) })
		}, differs: []rewrite{{`^(metric http\.client.*\[)http`, "${1}error.type=context.deadlineExceededError http", "failed requests say how"}}},
		{name: "unread", spans: 2, run: func(f *fixture) {
			resp, err := f.client.Get(f.url + "/big")
			if err != nil {
				f.t.Fatal(err)
			}
			_ = resp.Body.Close()
		}},
		{name: "unknown method", spans: 2, run: func(f *fixture) { f.do("BREW", "/status/silent", "") }, differs: []rewrite{
			{`^(span .*)http\.request\.method=GET`, "${1}http.request.method=_OTHER", "as the conventions have it, and newer otelhttp"},
			{`server\(BREW`, "server(HTTP", "as the conventions have it, and newer otelhttp"},
			{`client\(HTTP BREW`, "client(HTTP", "as the conventions have it: a proxy's clients choose the method"},
		}},
	}
	for _, p := range []proto{overTLS, http2} {
		c := diffCase{name: map[proto]string{overTLS: "tls", http2: "http2"}[p], proto: p, spans: 6, run: func(f *fixture) {
			f.do("GET", "/ok/7", "")
			f.do("GET", "/status/500", "")
			f.do("POST", "/echo", strings.Repeat("x", big))
		}}
		if p == http2 {
			c.differs = []rewrite{version2}
		}
		list = append(list, c)
	}
	return list
}

func compare(t *testing.T, c diffCase, normalize func([]string) []string) {
	var dumps [2][]string
	for i, s := range sides {
		tel := collect(t)
		f := start(t, s, c.proto, mux())
		c.run(f)
		dumps[i] = tel.dump(t, c.spans)
	}
	want, got := normalize(dumps[0]), dumps[1]
	for _, l := range want {
		if !slices.Contains(got, l) {
			t.Errorf("otelhttp only: %s", l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			t.Errorf("hooks only:    %s", l)
		}
	}
}

func TestSameAsOtelhttp(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			compare(t, c, func(lines []string) []string {
				return apply(t, lines, append(always[:len(always):len(always)], c.differs...))
			})
		})
	}
}

// apply rewrites lines; a rewrite that fits no line is a difference that is no more, which is as it should be where DIFFTEST_NEWER says that
// otelhttp is newer than the one in go.mod.
func apply(t *testing.T, lines []string, rules []rewrite) []string {
	t.Helper()
	out := append([]string(nil), lines...)
	for i, r := range rules {
		re := regexp.MustCompile(r.pattern)
		hit := false
		for j, l := range out {
			if re.MatchString(l) {
				out[j], hit = re.ReplaceAllString(l, r.to), true
			}
		}
		if !hit && i >= len(always) && os.Getenv("DIFFTEST_NEWER") == "" {
			t.Errorf("no line differs as in %q (%s)", r.pattern, r.why)
		}
	}
	return out
}
