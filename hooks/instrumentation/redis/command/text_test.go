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
	} {
		if text := messageOf(err); text == "" || strings.Contains(text, "s3cret") {
			t.Errorf("%v: %q", err, text)
		}
	}
	if text := messageOf(answer(`ERR value is "odd"`)); text != `ERR value is "odd"` {
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
