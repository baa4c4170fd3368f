package sqltext

import "strings"

// accounts finds where statements name users, roles and what these log in with, which some databases write without quotes: CREATE USER scott IDENTIFIED BY
// tiger (Oracle), PRAGMA key = secret (SQLCipher).
type accounts struct {
	verb   string // the first word of a statement, in upper case
	begun  bool   // the verb was read
	passed bool   // something was read that may not stand in front of USER
}

// word reports whether nothing after this word may be told.
func (a *accounts) word(word string) bool {
	if len(word) > len("AUTHORIZATION") {
		a.passed = a.begun
		a.begun = true
		return a.verb == "PRAGMA"
	}
	upper := strings.ToUpper(word)
	if !a.begun {
		a.begun, a.verb = true, upper
		return upper == "GRANT" || upper == "REVOKE"
	}
	switch a.verb {
	case "PRAGMA":
		return true
	case "ATTACH":
		return upper == "KEY"
	case "CREATE", "ALTER":
		if upper == "IDENTIFIED" || upper == "OWNER" || upper == "AUTHORIZATION" || upper == "GRANT" || upper == "CONNECT" {
			return true
		}
	}
	if a.passed {
		return false
	}
	switch upper {
	case "USER", "ROLE", "LOGIN", "GROUP", "PASSWORD", "AUTHORIZATION":
		switch a.verb {
		case "CREATE", "ALTER", "DROP", "RENAME", "SET", "EXECUTE", "COMMENT":
			return true
		}
	case "OR", "REPLACE", "SERVER", "APPLICATION", "SESSION", "LOCAL", "AS", "DEFAULT", "PRIVILEGES", "FOR", "ON":
		return false
	case "OWNED", "GRANTS":
		return a.verb == "REASSIGN" || a.verb == "DROP" || a.verb == "SHOW"
	}
	a.passed = true
	return false
}

// quoted is word for a name in quotes, or what may be a string.
func (a *accounts) quoted() bool {
	a.passed = a.begun
	return a.verb == "PRAGMA"
}

// semicolon begins another statement.
func (a *accounts) semicolon() { *a = accounts{} }
