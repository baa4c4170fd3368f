package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// call makes a unary call. Client and server are in this process, and both are instrumented.
func call() func() {
	l := listen()
	server := grpc.NewServer(serverOptions()...)
	healthpb.RegisterHealthServer(server, health.NewServer())
	go server.Serve(l)
	conn, err := grpc.NewClient(l.Addr().String(), append(dialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	check(err)
	client, ctx, request := healthpb.NewHealthClient(conn), context.Background(), &healthpb.HealthCheckRequest{}
	return func() {
		_, err := client.Check(ctx, request)
		check(err)
	}
}
