package sqltext

import "strings"

// operations are the words that a statement may begin with. Others are not taken for the name of an operation, because metrics have it.
var operations = func() map[string]bool {
	known := map[string]bool{}
	for _, word := range strings.Fields(`ABORT ALTER ANALYZE ATTACH BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE
		DELETE DESC DESCRIBE DETACH DISCARD DO DROP END EXEC EXECUTE EXPLAIN FETCH FLUSH GRANT HANDLER INSERT KILL LISTEN LOAD LOCK MERGE MOVE NOTIFY
		OPTIMIZE PRAGMA PREPARE REASSIGN REFRESH REINDEX RELEASE RENAME REPLACE RESET REVOKE ROLLBACK SAVEPOINT SELECT SET SHOW START TABLE TRUNCATE
		UNLISTEN UNLOCK UPDATE UPSERT USE VACUUM VALUES WITH XA`) {
		known[word] = true
	}
	return known
}()

// expecting says what the next name is.
type expecting uint8

const (
	nothing expecting = iota
	collection
	more // what follows a dot, or a comma that makes several
)

// names finds operation and collection while the statement is read.
type names struct {
	operation, collection string
	several               bool // collections, or statements: none is the one
	begun, ended          bool // a word was read; a semicolon was read
	depth                 int  // of parentheses
	first                 string
	next                  expecting
}

func (n *names) word(word string) {
	if n.ended {
		n.several = true
	}
	upper := word
	if len(word) <= len("CHECKPOINT") {
		upper = strings.ToUpper(word)
	}
	if !n.begun {
		n.begun = true
		if operations[upper] {
			n.operation, n.first = strings.Clone(word), upper
		}
		switch upper {
		case "UPDATE", "TRUNCATE":
			n.next = collection
		case "WITH":
			n.several = true
		}
		return
	}
	switch upper {
	case "FROM", "INTO", "JOIN", "USING", "UNION", "EXCEPT", "INTERSECT":
		n.keyword(upper)
	case "WHERE", "ORDER", "GROUP", "LIMIT", "OFFSET", "FETCH", "FOR", "SET", "VALUES", "HAVING", "RETURNING", "WINDOW", "DEFAULT":
		n.next = nothing
	case "TABLE":
		if n.first == "CREATE" || n.first == "ALTER" || n.first == "DROP" || n.first == "TRUNCATE" {
			n.next = collection
		}
	case "SELECT":
		n.several = true // INSERT INTO a SELECT … FROM b
	case "IF", "NOT", "EXISTS", "ONLY", "LOW_PRIORITY", "IGNORE", "OR", "ROLLBACK", "ABORT", "FAIL", "REPLACE":
		if n.next != collection {
			n.name(word)
		}
	default:
		n.name(word)
	}
}

func (n *names) keyword(upper string) {
	if upper == "FROM" && n.depth == 0 && n.collection == "" && (n.first == "SELECT" || n.first == "DELETE") ||
		upper == "INTO" && n.depth == 0 && n.collection == "" && (n.first == "INSERT" || n.first == "REPLACE" || n.first == "MERGE") {
		n.next = collection
		return
	}
	n.several = true
}

// name takes a name, quoted or not; whole names consist of several, with dots between.
func (n *names) name(name string) {
	if n.ended {
		n.several = true
	}
	switch n.next {
	case collection:
		n.collection, n.next = strings.Clone(name), more
	case more:
		if strings.HasSuffix(n.collection, ".") {
			n.collection += name
		}
	}
	if len(n.collection) > maxName {
		n.several = true
	}
}

func (n *names) literal() {
	if n.ended {
		n.several = true
	}
	if n.next == collection { // SELECT … FROM ?
		n.several = true
	}
}

func (n *names) punctuation(c byte) {
	switch {
	case c == '.' && n.next == more && n.collection != "" && !strings.HasSuffix(n.collection, "."):
		n.collection += "."
		return
	case c == '(':
		if n.next == collection { // FROM (SELECT …), or a function's result
			n.several = true
		}
		if n.next == more && n.first != "INSERT" && n.first != "REPLACE" && n.first != "CREATE" {
			n.several = true
		}
		n.depth++
		n.next = nothing
	case c == ')':
		n.depth--
	case c == ';':
		n.ended, n.next = true, nothing
	case c == ',' && n.next != nothing && n.depth == 0:
		n.several = true
	case c == '[' || c == ']':
	case c == '=' || c == '*':
		if n.next == more {
			n.next = nothing
		}
	}
}
