package command

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/otelobj/otelobj/hooks/rt/environ"
	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// withArguments reports whether texts of commands have their arguments.
var withArguments = sync.OnceValue(func() bool {
	yes, _ := strconv.ParseBool(strings.TrimSpace(environ.Get("OTELOBJ_REDIS_ARGUMENTS")))
	return yes
})

// secret are commands whose arguments are never told, with the subcommand where only that one is.
var secret = map[string]bool{"auth": true, "hello": true, "acl": true, "config": true, "migrate": true, "sentinel": true}

// plain are the texts of commands without arguments: by name, then by number of arguments.
var plain sync.Map // plainKey to string

type plainKey struct {
	name string
	n    int
}

// text returns db.query.text: the command with a question mark for each argument or, if asked for, the arguments.
func text(cmd Cmd) string {
	if withArguments() {
		return sanitize.Text(written(cmd))
	}
	name := operation(cmd)
	n := len(cmd.Args()) - 1 - strings.Count(name, " ")
	key := plainKey{name, min(max(n, 0), longestPlain+1)}
	if t, ok := plain.Load(key); ok {
		return t.(string)
	}
	t := key.text()
	if names.Has(name) { // so that what is kept is bounded
		plain.Store(plainKey{strings.Clone(name), key.n}, t)
	}
	return t
}

func (k plainKey) text() string {
	if k.n > longestPlain {
		return k.name + strings.Repeat(" ?", longestPlain) + " …"
	}
	return k.name + strings.Repeat(" ?", k.n)
}

// textOf returns the texts of several commands, a line each.
func textOf[C Cmd](cmds []C) string {
	var b strings.Builder
	for i, cmd := range cmds {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(written(cmd))
		if b.Len() > sanitize.MaxValue {
			break
		}
	}
	return sanitize.Text(b.String())
}

// written returns a command with its arguments, as redis-cli would have it; without, if they may be secrets.
func written(cmd Cmd) string {
	var b strings.Builder
	args := cmd.Args()
	if secret[cmd.Name()] {
		return sanitize.Text(cmd.Name())
	}
	for i, arg := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(argument(arg))
		if b.Len() > sanitize.MaxValue {
			break
		}
	}
	return b.String()
}

// argument: only what has a text of its own is asked for it.
func argument(arg interface{}) string {
	s := ""
	switch v := arg.(type) {
	case string:
		s = v
	case []byte:
		s = string(v[:min(len(v), longestArgument+1)])
	case nil:
		return "nil"
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64, bool:
		return fmt.Sprint(v)
	default:
		return "?"
	}
	if len(s) > longestArgument {
		s = strings.ToValidUTF8(s[:longestArgument], "") + "…"
	}
	if s == "" || strings.ContainsAny(s, " \t\r\n\"'\\") || !strings.EqualFold(s, strings.ToValidUTF8(s, "")) {
		return strconv.Quote(s)
	}
	return s
}
