package sqltext

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		dialect                           Dialect
		query, text, operation, collected string
	}{
		{PostgreSQL, "SELECT id, name FROM users WHERE id = $1 ORDER BY a, b", "SELECT id, name FROM users WHERE id = $1 ORDER BY a, b", "SELECT", "users"},
		{PostgreSQL, `select * from "Shop"."Orders" o where note = 'it''s' and n > 5`, `select * from "Shop"."Orders" o where note = ? and n > ?`, "select", "Shop.Orders"},
		{PostgreSQL, "SELECT * FROM a, b", "SELECT * FROM a, b", "SELECT", ""},
		{PostgreSQL, "SELECT * FROM a JOIN b ON a.x = b.x", "SELECT * FROM a JOIN b ON a.x = b.x", "SELECT", ""},
		{PostgreSQL, "SELECT * FROM a WHERE x IN (SELECT y FROM b)", "SELECT * FROM a WHERE x IN (SELECT y FROM b)", "SELECT", ""},
		{PostgreSQL, "SELECT now()", "SELECT now()", "SELECT", ""},
		{PostgreSQL, "SELECT * FROM generate_series(1, 3)", "SELECT * FROM generate_series(?, ?)", "SELECT", ""},
		{PostgreSQL, "SELECT extract(year FROM ts) FROM t", "SELECT extract(year FROM ts) FROM t", "SELECT", ""},
		{PostgreSQL, "INSERT INTO t (a, b) VALUES (1, E'x\\'y'), (-2.5e-3, $$it's$$)", "INSERT INTO t (a, b) VALUES (?, ?), (-?, ?)", "INSERT", "t"},
		{PostgreSQL, "/* by 'x' /* nested */ */ UPDATE ONLY t SET a = 1 -- tail", "UPDATE ONLY t SET a = ?", "UPDATE", "t"},
		{PostgreSQL, "SELECT data #>> '{a}', data ? 'b', a[1:2]::text FROM t", "SELECT data #>> ?, data ? ?, a[?:?]::text FROM t", "SELECT", "t"},
		{PostgreSQL, "ALTER ROLE x PASSWORD 'secret'", "ALTER ROLE…", "ALTER", ""},
		{PostgreSQL, "SELECT 1; grant all on t to alice", "SELECT ?; grant…", "SELECT", ""},
		{PostgreSQL, "SET SESSION AUTHORIZATION alice", "SET SESSION AUTHORIZATION…", "SET", ""},
		{PostgreSQL, "CREATE TABLE role (login text, password text)", "CREATE TABLE role (login text, password text)", "CREATE", "role"},
		{PostgreSQL, "SELECT password FROM role GROUP BY login", "SELECT password FROM role GROUP BY login", "SELECT", "role"},
		{Generic, "CREATE OR REPLACE USER scott IDENTIFIED BY tiger", "CREATE OR REPLACE USER…", "CREATE", ""},
		{Generic, "CREATE DATABASE LINK x USING y IDENTIFIED BY tiger", "CREATE DATABASE LINK x USING y IDENTIFIED…", "CREATE", ""},
		{SQLServer, "EXECUTE AS USER = alice", "EXECUTE AS USER…", "EXECUTE", ""},
		{SQLite, "PRAGMA key = secret", "PRAGMA key…", "PRAGMA", ""},
		{SQLite, "PRAGMA a_name_that_is_long = secret", "PRAGMA a_name_that_is_long…", "PRAGMA", ""},
		{SQLite, "PRAGMA \"key\" = secret", "PRAGMA ?…", "PRAGMA", ""},
		{SQLite, "PRAGMA [key] = secret", "PRAGMA [key]…", "PRAGMA", ""},
		{SQLite, "ATTACH DATABASE 'f' AS e KEY secret", "ATTACH DATABASE ? AS e KEY…", "ATTACH", ""},
		{Generic, "SELECT id FROM species WHERE identified = true", "SELECT id FROM species WHERE identified = true", "SELECT", "species"},
		{PostgreSQL, "ALTER DEFAULT PRIVILEGES FOR ROLE alice GRANT SELECT ON TABLES TO bob", "ALTER DEFAULT PRIVILEGES FOR ROLE…", "ALTER", ""},
		{PostgreSQL, "ALTER TABLE t OWNER TO alice", "ALTER TABLE t OWNER…", "ALTER", ""},
		{PostgreSQL, "CREATE SCHEMA AUTHORIZATION alice", "CREATE SCHEMA AUTHORIZATION…", "CREATE", ""},
		{PostgreSQL, "REASSIGN OWNED BY alice TO bob", "REASSIGN OWNED…", "REASSIGN", ""},
		{PostgreSQL, "COMMENT ON ROLE alice IS 'x'", "COMMENT ON ROLE…", "COMMENT", ""},
		{MySQL, "SHOW GRANTS FOR alice", "SHOW GRANTS…", "SHOW", ""},
		{Generic, "CREATE DATABASE LINK x CONNECT TO scott IDENTIFIED BY tiger", "CREATE DATABASE LINK x CONNECT…", "CREATE", ""},
		{MySQL, "SET password FOR bob = x", "SET password…", "SET", ""},
		{MySQL, "UPDATE t SET role = 1", "UPDATE t SET role = ?", "UPDATE", "t"},
		{PostgreSQL, "DELETE FROM t; DROP TABLE u", "DELETE FROM t; DROP TABLE u", "DELETE", ""},
		{PostgreSQL, "SELECT 1;", "SELECT ?;", "SELECT", ""},
		{PostgreSQL, "SELECT 'a\\', 'b'", "SELECT ?…", "SELECT", ""},
		{PostgreSQL, "WITH x AS (SELECT 1) SELECT * FROM x", "WITH x AS (SELECT ?) SELECT * FROM x", "WITH", ""},
		{MySQL, "select * from `shop`.`orders` # x\nwhere a = \"b\" limit 5", "select * from `shop`.`orders`  \nwhere a = ? limit ?", "select", "shop.orders"},
		{MySQL, "SELECT 5--1", "SELECT ?--?", "SELECT", ""},
		{MySQL, "SELECT 'it\\'s', 'x'", "SELECT ?…", "SELECT", ""},
		{MySQL, "SELECT _utf8'x', x'00', N'y', 0xFF, 1_000", "SELECT _utf8?, ?, ?, ?, ?", "SELECT", ""},
		{MySQL, "SELECT /*!40001 'x' */ 1", "SELECT…", "SELECT", ""},
		{SQLite, "SELECT ?1, :name, @n, $v FROM [a b] WHERE \"x\" = 'y'", "SELECT ?1, :name, @n, $v FROM [a b] WHERE ? = ?", "SELECT", "a b"},
		{SQLite, "CREATE TABLE IF NOT EXISTS t (id INTEGER)", "CREATE TABLE IF NOT EXISTS t (id INTEGER)", "CREATE", "t"},
		{SQLite, "REPLACE INTO t VALUES (1)", "REPLACE INTO t VALUES (?)", "REPLACE", "t"},
		{SQLServer, "SELECT $5.00, [a] FROM #t WHERE x = @p1", "SELECT ?, [a] FROM #t WHERE x = @p1", "SELECT", "t"},
		{PostgreSQL, "SELECT 1 -- it's\r+ 'x'", "SELECT ?…", "SELECT", ""},
		{PostgreSQL, "SELECT 1 -- it's\r\n+ 'x' -- it's", "SELECT ?  \n+ ?", "SELECT", ""},
		{PostgreSQL, "SELECT 1 -- it's\r\r\n+ 'x'", "SELECT ?…", "SELECT", ""},
		{PostgreSQL, "SELECT 1 -- it's\r", "SELECT ?…", "SELECT", ""},
		{MySQL, "SELECT 1 # it's\r+ 'x'", "SELECT ?…", "SELECT", ""},
		{MySQL, "SELECT 1 --\x01 it's\n+ 'x'", "SELECT ?…", "SELECT", ""},
		{SQLServer, "SELECT [a]]b], 'x' FROM [t]]]", "SELECT [a]]b], ? FROM [t]]]", "SELECT", "t]]"},
		{SQLServer, "SELECT [a]]'b], 'x'", "SELECT…", "SELECT", ""},
		{SQLServer, "SELECT [a]]", "SELECT…", "SELECT", ""},
		{SQLite, "SELECT [a]] 'x'", "SELECT [a]] ?", "SELECT", ""},
		{Generic, "SELECT a[1], [b]]'c], 'x'", "SELECT a[?],…", "SELECT", ""},
		{Generic, "SELECT a[b[1]] FROM t", "SELECT a…", "SELECT", ""},
		{Generic, "SELECT [a-- b], 'x'", "SELECT…", "SELECT", ""},
		{Generic, "SELECT q'[it's]' FROM dual", "SELECT ?…", "SELECT", ""},
		{Generic, "MATCH (n) RETURN n", "MATCH (n) RETURN n", "", ""},
		{Generic, "", "", "", ""},
		{Generic, " \n", "", "", ""},
	} {
		got := Read(c.query, c.dialect)
		if want := (Statement{c.text, c.operation, c.collected}); got != want {
			t.Errorf("%q:\n got %q\nwant %q", c.query, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, query := range []string{
		"SELECT '" + strings.Repeat("x", 1<<24), strings.Repeat("a, ", 1<<20), strings.Repeat("(", 1<<20), strings.Repeat("é", 1<<20),
		"SELECT " + strings.Repeat("1,", 1<<20), strings.Repeat(":a", 1<<20), "SELECT " + strings.Repeat("a.", 1<<20), "SELECT * FROM " + strings.Repeat("a.", 1<<20),
		"\xff\xfe\x00", strings.Repeat("@", 1<<20), "UPDATE " + strings.Repeat("a", 1<<20),
	} {
		s := Read(query, PostgreSQL)
		if len(s.Text) > sanitize.MaxValue || len(s.Operation) > maxName || len(s.Collection) > maxName || !utf8.ValidString(s.Text) {
			t.Errorf("%.20q: %d %d %d", query, len(s.Text), len(s.Operation), len(s.Collection))
		}
	}
}

// secret has only digits and quotes around it in the statements below, so that it is nothing but a literal in every one of them.
const secret = "SECRET"

// literals are what each database takes for literals and comments, and what others take for something else.
var literals = map[Dialect][]string{
	PostgreSQL: {"'S'", "'it''s S'", "E'a\\'S'", "e'S\\\\'", "$$S$$", "$t$ $$ S' $t$", "U&'S'", "B'S'", "/* S */", "/* /* ' */ S */", "-- S\n", "'a\\\\S'", "'\"S'", "'--S'"},
	MySQL:      {"'S'", "\"S\"", "'it''s S'", "'a\\'S'", "\"a\\\"S\"", "x'S'", "_utf8'S'", "/* S */", "# S\n", "-- S\n", "/*! 'S' */", "'`S'", "\"#S\"", "'/*S'"},
	SQLite:     {"'S'", "\"S\"", "x'S'", "/* /* S */", "--S\n", "'a\\S'", "\"it's S\"", "'[S'"},
	SQLServer:  {"'S'", "N'S'", "/* /* ' */ S */", "--S\n", "'$$S'", "'a\\\\S'", "[a]]'b] + 'S'", "[a]]-- b] + 'x\nS'", "[-- b] + 'x\nS'", "[/* b] + 'x*/S'"},
	Generic: {
		"'S'", "\"S\"", "q'[it's S]'", "r'a\\' S'", "'''it's S'''", "'a\\' S'", "$$ 'S $$", "$t$S' $t$", "/* S */", "/* /* S */ */", "-- S\n",
		"`'S`", "[it's S]", "\"\"\"S\"\"\"",
	},
}

// What is a literal where the statement goes is never in the text, whatever stands around it.
func TestNoLiteralIsLeft(t *testing.T) {
	between := []string{" ", ", ", "||", "\n", " AND a = ", "(", ")", " x ", "::text ", " \"a\" ", " `b` ", " 1", "1 ", "$1 ", "é", ";", "[1]", "a.b"}
	r := rand.New(rand.NewPCG(1, 2))
	for dialect, forms := range literals {
		for range 20000 {
			var b strings.Builder
			b.WriteString("SELECT ")
			for range 1 + r.IntN(6) {
				b.WriteString(between[r.IntN(len(between))])
				b.WriteByte(' ') // no prefix by accident
				b.WriteString(strings.ReplaceAll(forms[r.IntN(len(forms))], "S", secret))
			}
			query := b.String()
			if dialect != MySQL && dialect != SQLite && strings.Contains(query, "`") && dialect != Generic {
				query = strings.ReplaceAll(query, "`", "")
			}
			if s := Read(query, dialect); strings.Contains(s.Text, secret) || strings.Contains(s.Collection, secret) || strings.Contains(s.Operation, secret) {
				t.Fatalf("dialect %d: %q\nbecame %q", dialect, query, s)
			}
		}
	}
}

// The generic dialect must be safe for statements of every database.
func TestGenericIsSafeEverywhere(t *testing.T) {
	for dialect, forms := range literals {
		for _, first := range forms {
			for _, second := range forms {
				query := strings.ReplaceAll("SELECT "+first+" , "+second, "S", secret)
				query = strings.Replace(query, secret+"ELECT", "SELECT", 1)
				if s := Read(query, Generic); strings.Contains(s.Text, secret) {
					t.Errorf("dialect %d: %q\nbecame %q", dialect, query, s.Text)
				}
			}
		}
	}
}

// TestRandomTexts: whatever the databases allow inside of literals, comments and names, nothing of a literal or a comment is left, in the dialect of the
// statement and in the generic one.
func TestRandomTexts(t *testing.T) {
	for dialect, tokens := range grammars {
		w := &writer{Rand: rand.New(rand.NewPCG(3, uint64(dialect)))}
		for range 20000 {
			query := "SELECT "
			for range 1 + w.IntN(5) {
				query += tokens[w.IntN(len(tokens))](w) + []string{" ", ", ", "\n", " + ", ") ", " x "}[w.IntN(6)]
			}
			for _, as := range []Dialect{dialect, Generic} {
				if s := Read(query, as); strings.Contains(s.Text+s.Operation+s.Collection, secret) {
					t.Fatalf("dialect %d as %d: %q\nbecame %q", dialect, as, query, s)
				}
			}
		}
	}
}

// writer writes tokens at random.
type writer struct{ *rand.Rand }

// marked is a text with the secret, plain one without it.
func (w *writer) marked() string { return w.plain() + secret + w.plain() }

func (w *writer) plain() string {
	const alphabet = "''\"\"``[]()--##//**$$\\\\\r\r\n  ;?:@!&,.+a1eqnx\x01\x7f"
	b := make([]byte, w.IntN(8))
	for i := range b {
		b[i] = alphabet[w.IntN(len(alphabet))]
	}
	return string(b)
}

func quoted(prefix, quote, end string, escapes, isName bool) func(*writer) string {
	return func(w *writer) string {
		s := w.plain()
		if !isName {
			s = w.marked()
		}
		if escapes {
			s = strings.ReplaceAll(s, `\`, `\\`)
			if w.IntN(2) == 0 {
				return prefix + quote + strings.ReplaceAll(s, end, `\`+end) + end
			}
		}
		return prefix + quote + strings.ReplaceAll(s, end, end+end) + end
	}
}

// commented is a comment from begin to end, in which nothing of forbidden is.
func commented(begin, end string, forbidden ...string) func(*writer) string {
	return func(w *writer) string {
		for {
			if s := w.marked(); !hasAny(s, forbidden) {
				return begin + s + end
			}
		}
	}
}

func hasAny(s string, of []string) bool {
	for _, f := range of {
		if strings.Contains(s, f) {
			return true
		}
	}
	return false
}

func nested(w *writer) string {
	inner := commented("/*", "*/", "/*", "*/")
	return "/* " + inner(w) + " " + inner(w) + " ' */"
}

// grammars are the literals, comments and names of each database.
var grammars = map[Dialect][]func(*writer) string{
	PostgreSQL: {
		quoted("", "'", "'", false, false), quoted("e", "'", "'", true, false), quoted("N", "'", "'", false, false), quoted("U&", "'", "'", false, false),
		quoted("", `"`, `"`, false, true), commented("--", "\n", "\r", "\n"), commented("--", "\r", "\r", "\n"), commented("/*", " */", "/*", "*/"), nested,
		commented("$$", " $$", "$$"), commented("$t$", " $t$", "$t$"),
	},
	MySQL: {
		quoted("", "'", "'", true, false), quoted("", `"`, `"`, true, false), quoted("n", "'", "'", true, false), quoted("", "`", "`", false, true),
		commented("#", "\n", "\n"), commented("-- ", "\n", "\n"), commented("--\x01", "\n", "\n"), commented("/* ", " */", "*/"),
	},
	SQLite: {
		quoted("", "'", "'", false, false), quoted("", `"`, `"`, false, false), quoted("", "`", "`", false, true), bracketed, commented("--", "\n", "\n"),
		commented("/*", " */", "*/"),
	},
	SQLServer: {
		quoted("", "'", "'", false, false), quoted("N", "'", "'", false, false), quoted("", `"`, `"`, false, true), quoted("", "[", "]", false, true),
		commented("--", "\n", "\n"), commented("--", "\n", "\r", "\n"), commented("/*", " */", "/*", "*/"), nested,
	},
}

// bracketed is a name of SQLite's, which a bracket ends.
func bracketed(w *writer) string { return "[" + strings.ReplaceAll(w.plain(), "]", "") + "]" }

func TestCache(t *testing.T) {
	var c Cache[Statement]
	read := func(query string) *Statement { s := Read(query, PostgreSQL); return &s }
	for i := range 3 * maxEntries {
		c.Get(fmt.Sprintf("SELECT %d", i), read)
		if got := *c.Get("SELECT a FROM t", read); got != Read("SELECT a FROM t", PostgreSQL) {
			t.Fatal(got)
		}
	}
	n := 0
	for _, g := range []*generation{c.young.Load(), c.old.Load()} {
		g.entries.Range(func(any, any) bool { n++; return true })
	}
	if n > 2*maxEntries {
		t.Errorf("%d entries", n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("SELECT 'a\\'' FROM \"t\" -- x", uint8(0))
	f.Fuzz(func(t *testing.T, query string, dialect uint8) {
		s := Read(query, Dialect(dialect%5))
		if len(s.Text) > sanitize.MaxValue || !utf8.ValidString(s.Text) {
			t.Errorf("%q", s)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const query = "SELECT id, name, price FROM items WHERE id = $1 AND name = 'x' ORDER BY price LIMIT 10"
	var c Cache[Statement]
	read := func(query string) *Statement { s := Read(query, PostgreSQL); return &s }
	b.Run("anew", func(b *testing.B) {
		for range b.N {
			Read(query, PostgreSQL)
		}
	})
	b.Run("known", func(b *testing.B) {
		for range b.N {
			c.Get(query, read)
		}
	})
}
