// Package sqltext makes SQL statements fit for telemetry: without literals and comments, bounded in size, with the name of the operation and, if
// the statement has only one, of the collection.
//
// # What is left out
//
// Strings, numbers, dollar-quoted and bit strings become "?", comments become a space. Parameters such as $1, ?, :name and @name stay. What a text means
// depends on the database, and on settings that a client cannot see: a backslash in front of a quote may escape it or not, "x" is a string in MySQL and an
// identifier in PostgreSQL, # begins a comment in MySQL alone. Where two readings would disagree on what is a literal, the text ends, with an ellipsis. So
// nothing that is a literal in one of the readings is ever in the result, at the cost of the rest of a few statements. That is why this is no lexer of
// others: those that exist choose one reading. The text ends, too, where a statement goes on to name users or their passwords (accounts.go).
//
// No more than [maxInput] bytes of a statement are looked at, whatever its length.
package sqltext

import (
	"strings"
	"unicode/utf8"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// Dialect says which of the texts below are literals or comments.
type Dialect uint8

// Dialects. What is none of the others, or not known, is Generic, which every doubt ends.
const (
	Generic Dialect = iota
	PostgreSQL
	MySQL
	SQLite
	SQLServer
)

const (
	maxInput = 4 * sanitize.MaxValue
	// maxName is the length of the longest operation or collection.
	maxName  = 128
	ellipsis = "…"
)

// Statement is what telemetry may say of a statement.
type Statement struct {
	Text       string // without literals and comments, at most sanitize.MaxValue bytes
	Operation  string // the first word as it is written, if that is a known one; "" otherwise
	Collection string // the table, if there is exactly one; "" otherwise
}

// Read takes a statement apart.
func Read(query string, dialect Dialect) Statement {
	l := lexer{in: query, dialect: dialect}
	if len(query) > maxInput {
		l.in, l.isCut = query[:maxInput], true
	}
	l.run()
	text := strings.TrimSpace(strings.ToValidUTF8(l.out.String(), "�"))
	if l.isCut && len(text) <= sanitize.MaxValue-len(ellipsis) {
		text += ellipsis
	}
	s := Statement{Text: sanitize.Text(text), Operation: l.names.operation}
	if !l.names.several && !l.isCut {
		s.Collection = l.names.collection
	}
	return s
}

type lexer struct {
	in       string
	at       int
	dialect  Dialect
	isCut    bool // the rest of the statement is left out
	out      strings.Builder
	names    names
	accounts accounts
}

func (l *lexer) run() {
	l.out.Grow(min(len(l.in), sanitize.MaxValue))
	for l.at < len(l.in) {
		if l.out.Len() > sanitize.MaxValue {
			l.isCut = true
			return
		}
		begin := l.in[l.at]
		if !l.token() || strings.IndexByte("'\"`[", begin) >= 0 && l.accounts.quoted() {
			l.isCut = true
			return
		}
	}
}

// token reads one token. It returns false where the text must end.
func (l *lexer) token() bool {
	c := l.in[l.at]
	switch {
	case c == 0: // where SQLite ends a statement
		return false
	case isSpace(c):
		l.out.WriteByte(c)
		l.at++
	case c == '\'':
		return l.literal(false)
	case c == '"':
		if l.dialect == PostgreSQL || l.dialect == SQLServer {
			return l.identifier('"')
		}
		return l.literal(false)
	case c == '`' && l.dialect != PostgreSQL && l.dialect != SQLServer:
		return l.identifier('`')
	case c == '[' && l.dialect != PostgreSQL && l.dialect != MySQL:
		return l.bracket()
	case c == '-' && l.next(1) == '-':
		return l.dashes()
	case c == '#' && l.dialect == MySQL:
		return l.line()
	case c == '#' && l.dialect == Generic:
		return false
	case c == '/' && l.next(1) == '*':
		return l.comment()
	case c == '$':
		return l.dollar()
	case isDigit(c), c == '.' && isDigit(l.next(1)) && !l.afterWord():
		l.number()
	case c == ':' || c == '@' || c == '?':
		l.parameter()
	case isWord(c):
		return l.word()
	default:
		l.punctuation()
	}
	return true
}

// next returns the byte at an offset, 0 after the end.
func (l *lexer) next(offset int) byte {
	if l.at+offset < len(l.in) {
		return l.in[l.at+offset]
	}
	return 0
}

// afterWord reports whether the token before ends in a word without anything between: t1.2 is no number.
func (l *lexer) afterWord() bool {
	if l.at == 0 {
		return false
	}
	before := l.in[l.at-1]
	return isWord(before) || isDigit(before) || before == '"' || before == '`' || before == ']'
}

func (l *lexer) punctuation() {
	l.names.punctuation(l.in[l.at])
	if l.in[l.at] == ';' {
		l.accounts.semicolon()
	}
	l.out.WriteByte(l.in[l.at])
	l.at++
}

func (l *lexer) placeholder() {
	l.names.literal()
	l.out.WriteByte('?')
}

// literal reads a string, whose quote is the next byte. escapes: a backslash certainly escapes what follows.
func (l *lexer) literal(escapes bool) bool {
	quote := l.in[l.at]
	if l.dialect == Generic && l.next(1) == quote && l.next(2) == quote { // a doubled quote, or the beginning of a string in triple quotes
		return l.end()
	}
	backslashes := 0
	for i := l.at + 1; i < len(l.in); i++ {
		switch l.in[i] {
		case '\\':
			backslashes++
			continue
		case quote:
			if backslashes%2 == 1 {
				if !escapes {
					return l.end()
				}
				break
			}
			if i+1 < len(l.in) && l.in[i+1] == quote {
				i++
				break
			}
			l.at = i + 1
			l.placeholder()
			return true
		}
		backslashes = 0
	}
	return l.end()
}

// end writes a placeholder for what begins here and goes on to nobody knows where.
func (l *lexer) end() bool {
	l.placeholder()
	return false
}

// identifier reads a quoted one.
func (l *lexer) identifier(quote byte) bool {
	for i := l.at + 1; i < len(l.in); i++ {
		if l.in[i] != quote {
			continue
		}
		if i+1 < len(l.in) && l.in[i+1] == quote {
			i++
			continue
		}
		whole := l.in[l.at : i+1]
		if l.dialect == Generic && strings.ContainsAny(whole[1:len(whole)-1], "'\"") {
			return l.end()
		}
		l.at = i + 1
		l.names.name(whole[1 : len(whole)-1])
		l.out.WriteString(whole)
		return true
	}
	return l.end()
}

// bracket reads an identifier in brackets, or what may be one. In SQL Server a doubled bracket does not end it, in SQLite it does.
func (l *lexer) bracket() bool {
	rest := l.in[l.at:]
	end := 1
	for ; ; end++ {
		length := strings.IndexByte(rest[end:], ']')
		if length < 0 {
			return false
		}
		end += length
		if l.dialect == SQLite || end+1 >= len(rest) || rest[end+1] != ']' {
			break
		}
		if l.dialect != SQLServer {
			return false
		}
		end++
	}
	inner := rest[1:end]
	switch {
	case strings.ContainsAny(inner, "'\"`"):
		return false
	case l.dialect != Generic:
		l.names.name(inner)
		l.out.WriteString(rest[:end+1])
		l.at += end + 1
	case strings.Contains(inner, "--") || strings.Contains(inner, "/*"): // a comment, unless it is a part of the identifier
		return false
	default: // an index, or an identifier
		l.punctuation()
	}
	return true
}

// line leaves out a comment that goes to the end of the line. A carriage return alone is such an end in PostgreSQL, and none elsewhere.
func (l *lexer) line() bool {
	rest := l.in[l.at:]
	end := strings.IndexByte(rest, '\n')
	if end < 0 {
		end = len(rest)
	}
	if strings.Contains(strings.TrimSuffix(rest[:end], "\r"), "\r") || end == len(rest) && strings.HasSuffix(rest, "\r") {
		return false
	}
	l.at += end
	l.out.WriteByte(' ')
	return true
}

// dashes reads what begins with two of them: a comment, but in MySQL only in front of a space.
func (l *lexer) dashes() bool {
	after := l.next(2)
	certain := l.at+2 >= len(l.in) || isSpace(after) || l.dialect != MySQL && l.dialect != Generic
	switch {
	case certain:
		return l.line()
	case l.dialect == MySQL && (after < ' ' || after == 0x7f): // which MySQL takes for a space here
		return false
	case l.dialect == MySQL:
		l.punctuation()
		l.punctuation()
	default:
		return false
	}
	return true
}

// comment leaves out one in /* */. In PostgreSQL and SQL Server they nest; in MySQL one that begins with an exclamation mark is executed.
func (l *lexer) comment() bool {
	rest := l.in[l.at+2:]
	if executed := strings.HasPrefix(rest, "!") || strings.HasPrefix(rest, "M!"); executed && (l.dialect == MySQL || l.dialect == Generic) {
		return false
	}
	depth, i := 1, 0
	for ; i+1 < len(rest); i++ {
		switch {
		case rest[i] == '*' && rest[i+1] == '/':
			depth--
			i++
		case rest[i] == '/' && rest[i+1] == '*':
			switch l.dialect {
			case PostgreSQL, SQLServer:
				depth++
				i++
			case Generic:
				return false
			}
		}
		if depth == 0 {
			l.at += 2 + i + 1
			l.out.WriteByte(' ')
			return true
		}
	}
	return false
}

// dollar reads a parameter ($1, $name) or, in PostgreSQL, a string in $tag$.
func (l *lexer) dollar() bool {
	end := l.at + 1
	for end < len(l.in) && isWordPart(l.in[end]) && l.in[end] != '$' {
		end++
	}
	if end < len(l.in) && l.in[end] == '$' && !isDigit(l.next(1)) && (l.dialect == PostgreSQL || l.dialect == Generic) {
		if l.dialect == Generic {
			return l.end()
		}
		tag := l.in[l.at : end+1]
		length := strings.Index(l.in[end+1:], tag)
		if length < 0 {
			return l.end()
		}
		l.at = end + 1 + length + len(tag)
		l.placeholder()
		return true
	}
	if l.dialect == SQLServer && isDigit(l.next(1)) { // an amount
		l.at++
		l.number()
		return true
	}
	l.names.literal()
	l.out.WriteString(l.in[l.at:end])
	l.at = end
	return true
}

// parameter reads ?1, :name, @name, or the operator that begins so.
func (l *lexer) parameter() {
	c, end := l.in[l.at], l.at+1
	for end < len(l.in) && l.in[end] == c { // ::type, @@variable, ??
		end++
	}
	if begin := l.next(end - l.at); (end-l.at == 1 || c == '@') && !(isDigit(begin) && l.dialect == PostgreSQL) { // a[1:2], @5
		for end < len(l.in) && isWordPart(l.in[end]) {
			end++
		}
		if end-l.at > maxName { // what has no end is no name
			end = l.at + 1
		}
	}
	l.names.literal()
	l.out.WriteString(l.in[l.at:end])
	l.at = end
}

// number leaves out one, with all that is written without a space after it.
func (l *lexer) number() {
	for l.at < len(l.in) {
		c := l.in[l.at]
		exponent := (c == '+' || c == '-') && (l.in[l.at-1]|0x20) == 'e' && isDigit(l.next(1))
		if c == '$' || !isWordPart(c) && c != '.' && !exponent {
			break
		}
		l.at++
	}
	l.placeholder()
}

// word reads a keyword or a name, or a string with a prefix.
func (l *lexer) word() bool {
	begin := l.at
	for l.at < len(l.in) && isWordPart(l.in[l.at]) {
		l.at++
	}
	word := l.in[begin:l.at]
	if c := l.next(0); c == '&' && (word == "U" || word == "u") && (l.next(1) == '\'' || l.next(1) == '"') { // U&'\0441'
		l.at++
		return l.token()
	} else if c == '\'' || c == '"' && l.dialect != PostgreSQL && l.dialect != SQLServer {
		switch strings.ToLower(word) {
		case "e":
			return l.literal(l.dialect == PostgreSQL)
		case "n", "x", "b":
			return l.literal(false)
		case "q", "nq", "r", "br", "rb": // q'[it's]' of Oracle, r'\' of BigQuery
			if l.dialect == Generic {
				return l.end()
			}
		}
	}
	if len(word) > maxName { // a text that somebody has forgotten to quote
		l.placeholder()
		return true
	}
	l.names.word(word)
	l.out.WriteString(word)
	return !l.accounts.word(word)
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isWord(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c >= utf8.RuneSelf
}
func isWordPart(c byte) bool { return isWord(c) || isDigit(c) || c == '$' }
