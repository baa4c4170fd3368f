// Command hostile is a gRPC server, and clients that mean it no good: `hostile serve` prints its address, `hostile attack ADDRESS CALLS` calls it.
//
// The clients are a process of their own, and not instrumented.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type server struct {
	health.UnimplementedHealthServer
}

func (server) Check(_ context.Context, in *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	if in.Service != "" {
		return nil, status.Errorf(codes.NotFound, "no service %s", in.Service)
	}
	return &health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}, nil
}

func (server) Watch(_ *health.HealthCheckRequest, stream health.Health_WatchServer) error {
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}

func main() {
	if os.Args[1] == "serve" {
		serve()
		return
	}
	calls, err := strconv.Atoi(os.Args[3])
	check(err)
	attack(os.Args[2], calls)
}

func serve() {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("serving", lis.Addr())
	srv := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return status.Error(codes.Unimplemented, "what?") }))
	health.RegisterHealthServer(srv, server{})
	check(srv.Serve(lis))
}

// attack makes calls of methods that there are not, with long names, metadata and messages, and of streams that are given up: every other of them once
// the server has begun, the rest at once, so that the server may never see them.
func attack(address string, calls int) {
	long := strings.Repeat("x", 6<<10)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
			check(err)
			defer conn.Close()
			client := health.NewHealthClient(conn)
			for i := g; i < calls; i += 8 {
				ctx := metadata.AppendToOutgoingContext(context.Background(), "user-agent-of-mine", long, "traceparent", long, "tracestate", long, "baggage", "k="+long)
				switch i % 4 {
				case 0:
					err = conn.Invoke(ctx, fmt.Sprintf("/service.%d/Method%d", i, i), &health.HealthCheckRequest{}, &health.HealthCheckResponse{})
				case 1:
					err = conn.Invoke(ctx, "/"+long+"/"+strconv.Itoa(i), &health.HealthCheckRequest{}, &health.HealthCheckResponse{})
				case 2:
					_, err = client.Check(ctx, &health.HealthCheckRequest{Service: long + strconv.Itoa(i)})
				case 3:
					ctx, cancel := context.WithCancel(ctx)
					stream, failed := client.Watch(ctx, &health.HealthCheckRequest{})
					if failed == nil && i%8 == 3 {
						_, failed = stream.Header()
						check(failed)
					}
					cancel()
					if err = failed; err == nil {
						_, err = stream.Recv()
					}
				}
				if err == nil {
					check(fmt.Errorf("call %d was answered", i))
				}
			}
		}()
	}
	wg.Wait()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}
