//go:build !otelobj_chosen && !otelobj_program

package logs

import (
	"context"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/sdk/log"

	"github.com/otelobj/otelobj/hooks/sdk"
)

func newOtherExporter(ctx context.Context, _ sdk.Signal) (log.Exporter, error) {
	return autoexport.NewLogExporter(ctx)
}
