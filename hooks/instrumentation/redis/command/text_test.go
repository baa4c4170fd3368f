package command

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
)

// answer is an error that a server has sent.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

// Values and arguments are in no text, whether the server repeats them or the library quotes them.
func TestMessageHasNoValues(t *testing.T) {
	_, parse := strconv.Atoi("s3cret")
	for _, err := range []error{
		parse,
		errors.New(`redis: can't parse "s3cret"`),
		answer("ERR unknown command 'x', with args beginning with: 's3cret' "),
		answer("ERR Unknown Redis command called from script script: 1, args: s3cret"),
		answer("NOGROUP No such key 's3cret' or consumer group 's3cret' in XREADGROUP with GROUP option"),
		answer(`ERR value is "s3cret"`),
		answer("ERR user's3cret' unknown"),
	} {
		if text := new(Call).messageOf(err); text == "" || strings.Contains(text, "s3cret") {
			t.Errorf("%v: %q", err, text)
		}
	}
	for name, want := range map[string]string{
		"get":         "MISCONF it's currently unable (see the log)",
		"acl setuser": "MISCONF",
		"AUTH":        "MISCONF",
	} {
		if text := (&Call{name: name}).messageOf(answer("MISCONF it's currently unable (see the log)")); text != want {
			t.Errorf("%s: %q", name, text)
		}
	}
	if text := (&Call{name: "auth"}).messageOf(context.Canceled); text != "context canceled" {
		t.Error(text)
	}
}

// A hook of the program's may return no context with its error.
func TestNoContext(t *testing.T) {
	if Of(nil) != nil { //nolint:staticcheck // that is the case
		t.Error("a call of nowhere")
	}
	var call *Call
	call.End(context.Canceled, true)
}
