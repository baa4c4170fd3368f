//go:build otelobj_program

package globals

import (
	"os"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
)

// In a program without an SDK of ours there is nothing before the program sets a provider, and then that is in force, whatever the variable says.
func TestAlone(t *testing.T) {
	said := inProcess(t, func(t *testing.T) {
		Connect()
		before := otel.GetTracerProvider()
		spansOfAll(t)
		if now := otel.GetTracerProvider(); now != before {
			t.Errorf("the program's provider is now %T", now)
		}
		theirs, c := ownProgram()
		set(theirs)
		spansOfAll(t)
		if c.n != 4 {
			t.Errorf("%d spans", c.n)
		}
		if otel.GetTracerProvider() != trace.TracerProvider(theirs) {
			t.Error("the program does not get what it has set")
		}
	}, "OTEL_LOG_LEVEL=info", "OTELOBJ_PROVIDER=otelobj")
	if os.Getenv("OTELOBJ_TEST_CHILD") != "" {
		return
	}
	for _, line := range []string{
		"OTELOBJ_PROVIDER=otelobj: there is no provider of otelobj's in this program: it was built with OTELOBJ_SDK=program",
		"which instrumentations use from now on: OTELOBJ_SDK=program",
	} {
		if strings.Count(said, line) != 1 {
			t.Errorf("%q is not there once: %s", line, said)
		}
	}
}

func TestAloneAndDisabled(t *testing.T) {
	said := inProcess(t, func(*testing.T) {
		Connect()
		theirs, _ := ownProgram()
		set(theirs)
	}, "OTEL_LOG_LEVEL=info", "OTELOBJ_PROVIDER=otelobj", "OTEL_SDK_DISABLED=true")
	if said != "" {
		t.Errorf("said %q", said)
	}
}
