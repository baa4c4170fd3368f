package border

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func TestVariables(t *testing.T) {
	if host := os.Getenv("BORDER_TEST"); host != "" {
		t.Log("says", strconv.FormatBool(SendsTo(host)), strconv.FormatBool(Trusts()))
		return
	}
	for _, c := range []struct{ env, host, want string }{
		{"", "example.com", "true true"},
		{"OTELOBJ_PROPAGATE_TO=*.internal,db", "a.b.internal", "true true"},
		{"OTELOBJ_PROPAGATE_TO=*.internal, DB ", "db.", "true true"},
		{"OTELOBJ_PROPAGATE_TO=*.internal,db", "internal", "false true"},
		{"OTELOBJ_PROPAGATE_TO=*.internal,db", "db.example.com", "false true"},
		{"OTELOBJ_PROPAGATE_TO=10.*", "10.1.2.3", "true true"},
		{"OTELOBJ_PROPAGATE_TO=[::1]", "::1", "true true"},
		{"OTELOBJ_PROPAGATE_TO=[", "example.com", "false true"},
		{"OTELOBJ_PROPAGATE_TO= , ", "example.com", "false true"},
		{"OTELOBJ_TRUST_INCOMING=False", "example.com", "true false"},
		{"OTELOBJ_TRUST_INCOMING=0", "example.com", "true false"},
		{"OTELOBJ_TRUST_INCOMING=no", "example.com", "true false"},
		{"OTELOBJ_TRUST_INCOMING=true", "example.com", "true true"},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestVariables$", "-test.v")
		cmd.Env = append(os.Environ(), "BORDER_TEST="+c.host, c.env)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "says "+c.want) {
			t.Errorf("%s, %s: %v\n%s", c.env, c.host, err, out)
		}
	}
}
