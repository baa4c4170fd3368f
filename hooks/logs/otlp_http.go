//go:build (!otelobj_chosen || otelobj_otlp_http) && !otelobj_program

package logs

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/sdk/log"
)

var _ = addTransport("http/protobuf", func(ctx context.Context, local bool) (log.Exporter, error) {
	if local {
		return otlploghttp.New(ctx, otlploghttp.WithInsecure())
	}
	return otlploghttp.New(ctx)
})
