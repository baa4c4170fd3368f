//go:build (!otelobj_chosen || otelobj_otlp_grpc) && !otelobj_program

package sdk

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

var _ = addTransport("grpc", transport{
	spans: func(ctx context.Context, local bool) (trace.SpanExporter, error) {
		opts := []otlptracegrpc.Option{otlptracegrpc.WithDialOption(BoundGRPC()...)}
		if local {
			opts = append(opts, otlptracegrpc.WithInsecure())
		}
		return otlptracegrpc.New(ctx, opts...)
	},
	metrics: func(ctx context.Context, local bool) (metric.Exporter, error) {
		opts := []otlpmetricgrpc.Option{otlpmetricgrpc.WithDialOption(BoundGRPC()...)}
		if local {
			opts = append(opts, otlpmetricgrpc.WithInsecure())
		}
		return otlpmetricgrpc.New(ctx, opts...)
	},
})

var _ = setGRPCStatus(func(err error) string {
	var failed interface{ GRPCStatus() *status.Status }
	if errors.As(err, &failed) {
		return failed.GRPCStatus().String()
	}
	return ""
})

// BoundGRPC is for gRPC what boundAnswers is for HTTP.
func BoundGRPC() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)), grpc.WithMaxHeaderListSize(maxAnswer)}
}
