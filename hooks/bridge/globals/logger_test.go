//go:build otelapi_logger

package globals

import (
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"

	"go.opentelemetry.io/otel"

	privatesdk "otelobj.private/go.opentelemetry.io/otel/sdk/trace"
)

// What the private copy logs goes where the program's API logs.
func TestLogger(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		var got []string
		l := funcr.New(func(prefix, args string) { got = append(got, prefix+args) }, funcr.Options{Verbosity: 8})
		BeforeSetLogger(&call{}, l)
		otel.SetLogger(l)
		privatesdk.NewTracerProvider() // which says so
		if len(got) != 1 || !strings.Contains(got[0], "TracerProvider created") {
			t.Errorf("logged %q", got)
		}
	})
}
