// Package sanitize makes what strangers choose fit for telemetry: bounded in size, with nothing large behind it, and without
// secrets. Every instrumentation uses it for whatever comes from the network.
//
// It imports nothing but the standard library, and reads two variables when it is first used:
//
//   - OTELOBJ_REDACTED_QUERY_PARAMETERS: names of query parameters, separated by commas, whose values are left out, beside those of
//     the semantic conventions;
//   - OTELOBJ_OMIT_URL_QUERY=true: queries are left out as a whole.
package sanitize

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

const (
	// MaxValue is the length of the longest value, in bytes.
	MaxValue = 4096
	// MaxStack is that of the longest stack trace.
	MaxStack = 16384
	// slack is how much larger the text around a value may be than the value, and be kept in memory by it.
	slack = 256

	// Redacted stands for a value that is left out, as the semantic conventions have it.
	Redacted = "REDACTED"
	ellipsis = "…"
)

// Text returns s if it is short enough, else a copy of its beginning.
func Text(s string) string { return cut(s, MaxValue) }

// Part returns s, which is a part of whole, so that it does not keep whole in memory.
func Part(s, whole string) string {
	if len(s) > MaxValue {
		return cut(s, MaxValue)
	}
	if len(whole) > len(s)+slack {
		return strings.Clone(s)
	}
	return s
}

// Stack returns a stack trace, or a copy of its beginning.
func Stack(s string) string { return cut(s, MaxStack) }

// cut returns s, or a copy of its first bytes: no more than limit, at the border of a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit - len(ellipsis)
	for end > limit-len(ellipsis)-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}

// secrets are the parameters of signed requests of AWS, Azure and Google (semantic conventions, url.query), in lower case.
var secrets = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{"awsaccesskeyid": true, "signature": true, "sig": true, "x-goog-signature": true}
	for _, name := range strings.Split(environ.Get("OTELOBJ_REDACTED_QUERY_PARAMETERS"), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			names[name] = true
		}
	}
	return names
})

var omitQuery = sync.OnceValue(func() bool {
	return strings.EqualFold(strings.TrimSpace(environ.Get("OTELOBJ_OMIT_URL_QUERY")), "true")
})

// URL returns a URL as an attribute may have it: without user info, with the values of secret parameters redacted, and not too long.
func URL(u *url.URL) string {
	if u == nil {
		return ""
	}
	c := *u
	c.User = nil
	c.Opaque = opaque(c.Opaque)
	if omitQuery() {
		c.RawQuery, c.ForceQuery = "", false
	} else {
		c.RawQuery = Query(c.RawQuery)
	}
	c.Fragment, c.RawFragment = Query(c.Fragment), "" // where tokens are handed from page to page
	return Text(c.String())
}

// opaque is what net/url has not taken apart, without user info and secrets.
func opaque(s string) string {
	if s == "" {
		return ""
	}
	rest, query, asks := strings.Cut(s, "?")
	rest, hasSlashes := strings.CutPrefix(rest, "//")
	authority, path, slash := strings.Cut(rest, "/")
	s = authority[strings.LastIndexByte(authority, '@')+1:]
	if hasSlashes {
		s = "//" + s
	}
	if slash {
		s += "/" + path
	}
	if query = Query(query); asks && query != "" {
		s += "?" + query
	}
	return s
}

// Value returns a text of the program's: if that is an absolute URL with user info or secrets, as URL returns it, else as it is. What begins as a URL
// and is none has lost all that may be user info.
func Value(s string) string {
	if at := strings.Index(s, mark); at <= 0 || beginOfURL(s, 0, at) != 0 {
		return value(s, mostSchemes)
	}
	return nested(s, mostNested)
}

const (
	mostSchemes = 4  // before each other, as in jdbc:mysql
	maxSchemes  = 64 // bytes of them in a text
)

func value(s string, schemes int) string {
	scheme, rest, ok := strings.Cut(s, mark)
	if !ok || !strings.ContainsAny(rest, "@?#") {
		return s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || schemes == 0:
		if isScheme(scheme) {
			return scheme + ":" + opaque("//"+rest[strings.LastIndexByte(rest, '@')+1:])
		}
		if at := strings.IndexFunc(scheme, isLetter); at > 0 && isScheme("x"+scheme) { // 404:https
			return s[:at] + value(s[at:], max(schemes-1, 0))
		}
		return s
	case u.Scheme == "": // a path, or a text in which there is a URL
		return s
	case strings.Contains(u.Opaque, mark): // jdbc:postgresql://…
		inner := s[len(u.Scheme)+1:]
		return s[:len(s)-len(inner)] + value(inner, schemes-1)
	}
	if u.User == nil && opaque(u.Opaque) == u.Opaque && !hides(u.RawQuery) && !hides(u.Fragment) {
		return s
	}
	return URL(u)
}

// mark is what a URL is known by.
const mark = "://"

// isScheme reports whether a text is the scheme of a URL (RFC 3986, section 3.1), or several as in jdbc:mysql.
func isScheme(s string) bool {
	for i := range len(s) {
		if !isSchemeByte(s[i]) {
			return false
		}
	}
	return s != "" && isLetter(rune(s[0]))
}

func isLetter(c rune) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isSchemeByte(c byte) bool {
	return isLetter(rune(c)) || strings.IndexByte("0123456789+-.:", c) >= 0
}

// Error returns the text of an error as an attribute may have it: as Message does. Of an error whose method panics, as many do on a nil pointer, it is the
// type.
func Error(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = Text(fmt.Sprintf("%T", err))
		}
	}()
	return Message(err.Error())
}

// Message returns a text for people, such as that of an error or of a panic: not too long, and the URLs in it as Value returns them.
func Message(text string) string {
	if !strings.Contains(text, mark) {
		return Text(text)
	}
	text = cut(text, MaxStack) // what is looked at
	var b strings.Builder
	var none [256]bool
	for {
		at := strings.Index(text, mark)
		if at < 0 {
			break
		}
		begin := beginOfURL(text, 0, at)
		end := endOfURL(text, begin, at+len(mark), &none)
		b.WriteString(text[:begin])
		b.WriteString(nested(text[begin:end], mostNested))
		text = text[end:]
	}
	b.WriteString(text)
	return Text(b.String())
}

// mostNested is how many URLs are looked for in each other's paths and queries.
const mostNested = 8

// nested returns a URL without its secrets, and without those of URLs that are parts of it.
func nested(s string, depth int) string {
	if depth == 0 {
		return redacted(s[strings.LastIndexByte(s, '@')+1:])
	}
	given := s[:strings.Index(s, mark)+len(mark)]
	s = value(s, mostSchemes)
	first := 0 // String of a URL leaves the slashes out where nothing follows them
	if strings.HasPrefix(s, given) {
		first = len(given)
	}
	next := strings.Index(s[first:], mark)
	if next < 0 {
		return s
	}
	begin := beginOfURL(s, first, first+next)
	return s[:begin] + nested(s[begin:], depth-1)
}

// beginOfURL returns where the scheme begins that stands before the mark at i, not before least.
func beginOfURL(text string, least, i int) int {
	begin := i
	for begin > least && i-begin < maxSchemes && isSchemeByte(text[begin-1]) {
		begin--
	}
	for begin < i && !isLetter(rune(text[begin])) { // digits and dots before a scheme
		begin++
	}
	return begin
}

// endOfURL returns where the URL ends that begins in a text, looking from i on: where the quote or bracket that stands before it is closed, else at a
// space, a control character or a quote. none: what is not closed any more, so that the text is not searched for it again.
func endOfURL(text string, begin, i int, none *[256]bool) int {
	if begin > 0 {
		opened := text[begin-1]
		escaped := opened == '"' && begin > 1 && text[begin-2] == '\\' // in a text that has been quoted once more
		kind := opened
		if escaped {
			kind = '\\'
		}
		if strings.IndexByte("\"'`<", opened) >= 0 && !none[kind] {
			if end := closing(text, i, opened, escaped); end >= 0 {
				return untilSentence(text, i, end)
			}
			none[kind] = true
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c <= ' ' || c == 0x7f || c == '"' || c == '<' {
			break
		}
	}
	return i
}

// closing returns where a quote or bracket is closed, -1 if nowhere. A ' or ` within a word is a part of it.
func closing(text string, i int, opened byte, escaped bool) int {
	closed := opened
	if opened == '<' {
		closed = '>'
	}
	for ; i < len(text); i++ {
		switch {
		case text[i] == '\\' && opened == '"' && !escaped:
			i++
		case text[i] != closed:
		case escaped && text[i-1] == '\\':
			return i - 1
		case closed != '\'' && closed != '`', i+1 == len(text), strings.IndexByte(" \t\r\n.,;:!?)]}>\"", text[i+1]) >= 0:
			return i
		}
	}
	return -1
}

// untilSentence returns end, or where a space ends the URL that begins a quoted sentence: one with no more of a URL behind the space.
func untilSentence(text string, i, end int) int {
	space := strings.IndexByte(text[i:end], ' ')
	if space < 0 || strings.ContainsAny(text[i:i+space], "@?") {
		return end
	}
	rest := text[i+space : end]
	if at := strings.LastIndexByte(rest, '@'); strings.Contains(rest, "?") || at >= 0 && strings.Contains(text[i:i+space+at], ":") {
		return end
	}
	return i + space
}

// Query returns the query of a URL with the values of secret parameters redacted, and not too long.
func Query(query string) string {
	if omitQuery() {
		return ""
	}
	return redacted(Text(query))
}

// hides reports whether Query leaves something out of a query, whatever its length.
func hides(query string) bool { return omitQuery() && query != "" || redacted(query) != query }

func redacted(query string) string {
	if !strings.Contains(query, "=") {
		return query
	}
	var b strings.Builder
	for rest, sep := query, ""; ; {
		b.WriteString(sep)
		end := strings.IndexAny(rest, "&;")
		pair := rest
		if end >= 0 {
			pair = rest[:end]
		}
		name, _, ok := strings.Cut(pair, "=")
		if ok && isSecret(name) {
			b.WriteString(name)
			b.WriteString("=" + Redacted)
		} else {
			b.WriteString(pair)
		}
		if end < 0 {
			return b.String()
		}
		rest, sep = rest[end+1:], rest[end:end+1]
	}
}

func isSecret(name string) bool {
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	return secrets()[strings.ToLower(name)]
}
