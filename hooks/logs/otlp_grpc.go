//go:build (!otelobj_chosen || otelobj_otlp_grpc) && !otelobj_program

package logs

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/sdk/log"

	"github.com/otelobj/otelobj/hooks/sdk"
)

var _ = addTransport("grpc", func(ctx context.Context, local bool) (log.Exporter, error) {
	opts := []otlploggrpc.Option{otlploggrpc.WithDialOption(sdk.BoundGRPC()...)}
	if local {
		opts = append(opts, otlploggrpc.WithInsecure())
	}
	return otlploggrpc.New(ctx, opts...)
})
