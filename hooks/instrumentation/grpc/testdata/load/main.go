// Program load makes calls from many goroutines.
package main

import (
	"context"
	"fmt"
	"net"

	"example.com/shared/load"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
)

type server struct {
	health.UnimplementedHealthServer
}

func (server) Check(_ context.Context, in *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	if in.Service == "fail" {
		return nil, fmt.Errorf("out of order")
	}
	return &health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}, nil
}

func (server) Watch(_ *health.HealthCheckRequest, stream health.Health_WatchServer) error {
	for range 3 {
		if err := stream.Send(&health.HealthCheckResponse{}); err != nil {
			return err
		}
	}
	return nil
}

// right: a client's span is below that of the operation, a server's below one of the same trace that is not the operation's.
func right(s sdktrace.ReadOnlySpan, below bool) bool {
	return below == (s.SpanKind() == trace.SpanKindClient)
}

func main() {
	checker := load.Start(right)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	srv := grpc.NewServer()
	health.RegisterHealthServer(srv, server{})
	go srv.Serve(lis)
	var clients []health.HealthClient
	var conns []*grpc.ClientConn
	for range 4 {
		conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			panic(err)
		}
		conns = append(conns, conn)
		clients = append(clients, health.NewHealthClient(conn))
	}
	checker.Run(load.Operations(1), func(ctx context.Context, g, i int) error { return call(ctx, clients[g%len(clients)], i) })
	for _, conn := range conns {
		conn.Close()
	}
	srv.GracefulStop()
	checker.Say()
}

// call makes the calls by turns. Each has a span of the client and one of the server.
func call(ctx context.Context, client health.HealthClient, i int) error {
	switch i % 3 {
	case 0:
		if r, err := client.Check(ctx, &health.HealthCheckRequest{}); err != nil || r.Status != health.HealthCheckResponse_SERVING {
			return fmt.Errorf("%v: %w", r, err)
		}
	case 1:
		if _, err := client.Check(ctx, &health.HealthCheckRequest{Service: "fail"}); err == nil {
			return fmt.Errorf("no error")
		}
	case 2:
		stream, err := client.Watch(ctx, &health.HealthCheckRequest{})
		n := 0
		for err == nil {
			if _, err = stream.Recv(); err == nil {
				n++
			}
		}
		if n != 3 {
			return fmt.Errorf("%d messages: %w", n, err)
		}
	}
	return nil
}
