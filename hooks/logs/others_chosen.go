//go:build otelobj_chosen && !otelobj_program

package logs

import (
	"context"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/sdk/log"

	"github.com/otelobj/otelobj/hooks/sdk"
)

// exporters are those that are in this program, by their names in OTEL_LOGS_EXPORTER.
var exporters = map[string]func() (log.Exporter, error){}

func newOtherExporter(_ context.Context, s sdk.Signal) (log.Exporter, error) {
	if create, ok := exporters[s.Exporter()]; ok {
		return create()
	}
	return nil, s.NotLinked(slices.Collect(maps.Keys(exporters))...)
}
