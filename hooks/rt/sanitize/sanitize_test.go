package sanitize

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"
)

func TestTextIsCutAtACharacter(t *testing.T) {
	for _, unit := range []string{"a", "ä", "€", "😀", "\xff"} {
		for _, length := range []int{0, 1, MaxValue - 1, MaxValue, MaxValue + 1, 3 * MaxValue} {
			s := strings.Repeat(unit, length/len(unit)+1)
			got := Text(s)
			if len(got) > MaxValue {
				t.Errorf("%q: %d bytes", unit, len(got))
			}
			if len(s) <= MaxValue && got != s {
				t.Errorf("%q: changed", unit)
			}
			if utf8.ValidString(s) && !utf8.ValidString(got) {
				t.Errorf("%q: no UTF-8", unit)
			}
			if len(s) > MaxValue && !strings.HasPrefix(s, strings.TrimSuffix(got, ellipsis)) {
				t.Errorf("%q: %q", unit, got)
			}
		}
	}
}

// TestNothingLargeIsKept: what is returned does not share memory with what is larger.
func TestNothingLargeIsKept(t *testing.T) {
	whole := strings.Repeat("x", 1<<20)
	shares := func(s string) bool {
		at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
		begin := uintptr(unsafe.Pointer(unsafe.StringData(whole)))
		return at >= begin && at < begin+uintptr(len(whole))
	}
	for name, got := range map[string]string{
		"text": Text(whole), "part": Part(whole[100:110], whole), "large part": Part(whole[1:], whole), "stack": Stack(whole), "query": Query("a=" + whole),
	} {
		if shares(got) || len(got) > MaxStack {
			t.Errorf("%s keeps the whole", name)
		}
	}
	runtime.KeepAlive(whole)
	if s := "short"; unsafe.StringData(Part(s[:3], s)) != unsafe.StringData(s) {
		t.Error("a small whole is copied")
	}
}

func TestURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://user:secret@example.com/a?b=c":                        "https://example.com/a?b=c",
		"https://example.com/?AWSAccessKeyId=AKIA&Signature=x%2By&a=b": "https://example.com/?AWSAccessKeyId=REDACTED&Signature=REDACTED&a=b",
		"https://example.com/?a=b;sig=123&x":                           "https://example.com/?a=b;sig=REDACTED&x",
		"https://example.com/?X-Goog-Signature=1#frag":                 "https://example.com/?X-Goog-Signature=REDACTED#frag",
		"https://example.com/?%73ig=1":                                 "https://example.com/?%73ig=REDACTED",
		"https://example.com/?SIG=1&sigma=2&sig":                       "https://example.com/?SIG=REDACTED&sigma=2&sig",
		"https://example.com/#sig=1":                                   "https://example.com/#sig=REDACTED",
		"https://example.com/?":                                        "https://example.com/?",
		"/relative?sig=1":                                              "/relative?sig=REDACTED",
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		before := *u
		if got := URL(u); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
		if *u != before {
			t.Errorf("%s was changed", in)
		}
	}
	if got := URL(&url.URL{Scheme: "http", Opaque: "//me:secret@example.com/x@y"}); got != "http://example.com/x@y" {
		t.Error(got)
	}
	if got := URL(&url.URL{Scheme: "http", Opaque: "user:secret@example.com/p?sig=1&a=b"}); got != "http:example.com/p?sig=REDACTED&a=b" {
		t.Error(got)
	}
	inner := &url.Error{Op: "Get", URL: "https://example.com/?sig=1&a=b", Err: errors.New("refused")}
	if got := Error(fmt.Errorf("call: %w", inner)); got != `call: Get "https://example.com/?sig=REDACTED&a=b": refused` {
		t.Error(got)
	}
	if URL(nil) != "" {
		t.Error("nil")
	}
}

// TestValue: of whatever a rule takes from an argument, absolute URLs only are changed, and only for what is secret.
func TestValue(t *testing.T) {
	for given, want := range map[string]string{
		"https://h/p?sig=abc&x=1":             "https://h/p?sig=REDACTED&x=1",
		"https://h/p?X-Goog-Signature=a%20b":  "https://h/p?X-Goog-Signature=REDACTED",
		"postgres://user:pass@db:5432/shop":   "postgres://db:5432/shop",
		"redis://:secret@cache/0?x=y":         "redis://cache/0?x=y",
		"jdbc:postgresql://u:p@db/shop?sig=a": "jdbc:postgresql://db/shop?sig=REDACTED",
		"https://h/callback#sig=abc":          "https://h/callback#sig=REDACTED",
		// What is no URL, but meant to be one.
		"postgres://user:p w@db/shop":      "postgres://db/shop",
		"postgres://user:p?w/d@db/shop":    "postgres://db/shop",
		"https://u:%zz@h/p?sig=a&x=%zz":    "https://h/p?sig=REDACTED&x=%zz",
		"mysql:jdbc://u:p w@db/shop?sig=a": "mysql:jdbc://db/shop?sig=REDACTED",
		// What stays as it is, to the byte.
		"https://h/p?b=2&a=%7e&a=1": "https://h/p?b=2&a=%7e&a=1",
		"HTTP://H:80/%7E?#":         "HTTP://H:80/%7E?#",
		"a@b.example":               "a@b.example",
		"/path?sig=abc":             "/path?sig=abc",
		"see https://h/ or a@b":     "see https://h/ or a@b",
		"?":                         "?",
		"":                          "",
	} {
		if got := Value(given); got != want {
			t.Errorf("%q: %q, not %q", given, got, want)
		}
	}
}

// TestMessage: URLs are found wherever they stand in a text.
func TestMessage(t *testing.T) {
	for given, want := range map[string]string{
		`Get "https://u:p@h/x?sig=abc&y=1": EOF`:                 "Get \"https://h/x?sig=REDACTED&y=1\": EOF",
		`open jdbc:mysql://u:p@db/shop, then redis://:x@c/0`:     "open jdbc:mysql://db/shop, then redis://c/0",
		"failed:https://u:p@h/":                                  "failed:https://h/",
		"3.https://u:p@h/ <ftp://a:b@c>":                         "3.https://h/ <ftp://c>",
		`Post "https://u:p@h/\"x": EOF`:                          `Post "https://h/%5C%22x": EOF`,
		"://u:p@h no scheme, a@b":                                "://u:p@h no scheme, a@b",
		`Get "https://a.windows.net/T('x')?q=a b&sig=abc": EOF`:  `Get "https://a.windows.net/T('x')?q=a b&sig=REDACTED": EOF`,
		`"Get \"https://u:p@h/\": EOF"`:                          `"Get \"https://h/\": EOF"`,
		"postgres://user:pa'SECRET@db, that is all":              "postgres://db, that is all",
		"error:404:https://u:p@h/ main.go:12:https://u:p@h/":     "error:404:https://h/ main.go:12:https://h/",
		"http://a,http://u:p@b https://h/?u=https://u:p@h/":      "http://a,http://b https://h/?u=https://h/",
		"https://h/?to=https://u:p@x/&sig=abc":                   "https://h/?to=https://x/&sig=REDACTED",
		"level:error:file:main.go:12:https://u:p@h/":             "level:error:file:main.go:12:https://h/",
		"abc://u@?u=z://x:y@q":                                   "abc:?u=z://q",
		"no route: 'postgres://u:pa'SECRET@db'":                  "no route: 'postgres://db'",
		`failed: "https://h is down, mail a@b.com"`:              `failed: "https://h is down, mail a@b.com"`,
		`failed: "postgres://user:p w@db"`:                       `failed: "postgres://db"`,
		"nothing to hide: https://h/p?b=2&a=%7e and a@b.example": "nothing to hide: https://h/p?b=2&a=%7e and a@b.example",
		"": "",
	} {
		if got := Message(given); got != want {
			t.Errorf("%q: %q, not %q", given, got, want)
		}
	}
	_, one := http.Get("http://u:p@127.0.0.1:0/?sig=1")
	_, two := http.Get("http://u:p@127.0.0.1:0/?sig=2")
	for _, err := range []error{one, errors.Join(one, two), fmt.Errorf("no answer: %v", two)} {
		if got := Error(err); strings.Contains(got, "sig=1") || strings.Contains(got, "sig=2") || strings.Contains(got, "u:p") || !strings.Contains(got, "REDACTED") {
			t.Error(got)
		}
	}
}

// TestManyURLs: as in a list of brokers, however long it is.
func TestManyURLs(t *testing.T) {
	for _, s := range []string{strings.Repeat("nats://u:p@n,", 30), strings.Repeat("nats://u:p@n ", 30), "https://h/" + strings.Repeat("x", 17_000) + "?sig=SECRET", "https://u:p" + strings.Repeat("x", 17_000) + "@h/"} {
		for what, got := range map[string]string{"Value": Value(s), "Message": Message("for " + s)} { // which is cut before it is looked at
			if what == "Message" && len(s) > MaxStack {
				continue
			}
			if strings.Contains(got, "SECRET") || strings.Contains(got, "u:p") && (what == "Message" || !strings.Contains(s, " ")) {
				t.Errorf("%s: %.60s: %.200s", what, s, got)
			}
		}
	}
}

// TestStrangeTextsTakeNoTime: in proportion to their length, that is.
func TestStrangeTextsTakeNoTime(t *testing.T) {
	for _, s := range []string{strings.Repeat("a:", 1<<19) + "://u:p@h", strings.Repeat("a", 1<<20) + "://?", strings.Repeat("://", 1<<19), strings.Repeat("a://b@", 1<<18), strings.Repeat("<a://b@", 1<<18), strings.Repeat("\"\\\"a://\\", 1<<18), "a://" + strings.Repeat("b:", 1<<19)} {
		if got := Message(s); len(got) > MaxValue {
			t.Error(len(got))
		}
		if got := Value(s); len(got) > len(s) {
			t.Error(len(got))
		}
	}
}

// TestWhatIsNotSecretIsNotCut: of a program's own text, however long it is.
func TestWhatIsNotSecretIsNotCut(t *testing.T) {
	for _, s := range []string{`{"url": "https://h/?a=1", "text": "` + strings.Repeat("x", 40_000), "https://h/?q=" + strings.Repeat("x", 10_000), "https://h/" + strings.Repeat("y", 40_000) + "?#"} {
		if got := Value(s); got != s {
			t.Errorf("%.60s: %d bytes of %d", s, len(got), len(s))
		}
	}
}

func TestVariables(t *testing.T) {
	if os.Getenv("SANITIZE_TEST") != "" {
		u, _ := url.Parse("https://example.com/?Token=1&b=2")
		t.Log("is", URL(u), "is")
		return
	}
	for setting, want := range map[string]string{
		"OTELOBJ_REDACTED_QUERY_PARAMETERS= token , x": "https://example.com/?Token=REDACTED&b=2",
		"OTELOBJ_OMIT_URL_QUERY=true":                  "https://example.com/",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestVariables$", "-test.v")
		cmd.Env = append(os.Environ(), "SANITIZE_TEST=1", setting)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "is "+want+" is") {
			t.Errorf("%s: %v\n%s", setting, err, out)
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("a=b&sig=1;c")
	f.Fuzz(func(t *testing.T, s string) {
		got := Query(s)
		if len(got) > 4*MaxValue {
			t.Error("too long")
		}
		if values, err := url.ParseQuery(got); err == nil && values.Has("sig") && values.Get("sig") != Redacted && values.Get("sig") != "" {
			t.Errorf("%q: %q", s, got)
		}
	})
}

type broken struct{ text string }

func (b *broken) Error() string { return b.text }

func TestErrorThatPanics(t *testing.T) {
	if got := Error((*broken)(nil)); got != "*sanitize.broken" {
		t.Error(got)
	}
}
