// Package grpc has the hooks that trace and measure google.golang.org/grpc.
//
// Spans and metrics are made by the stats handlers of go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc. The hooks give
// one to each server (NewServer) and to each client (NewClient or, before 1.63, DialContext), after the options of the program. A handler
// of otelgrpc stands below one of ours, which decides
//
//   - whether the program traces these calls itself (yield.go): then it keeps out;
//   - which parent a span has: the active span of the goroutine where the context names none, nothing from callers that are not trusted (border);
//   - what of a stranger's choice is kept: methods that the server does not have are _OTHER, as the semantic conventions want it, and texts are cut.
//
// While a method of a server runs, its span is active on the goroutine (process.go).
//
// # What differs from otelgrpc, and why
//
//   - A method that the server does not have: gRPC does not tell otelgrpc of the end of such a call, so its span never ends. Here it is made when the call is
//     refused. A server with an UnknownServiceHandler serves such calls; otelgrpc takes the name, which the caller chooses, for span and metrics. In both
//     cases the name of the span is grpc, rpc.method is _OTHER, and the span alone has rpc.method_original.
//   - A server that is a handler of net/http (Server.ServeHTTP): its span is a child of that of net/http. With otelhttp and otelgrpc, both are children of the
//     caller's span.
//   - Calls that export telemetry have neither span nor metric.
//   - The messages of errors are cut to the length that all texts have.
//   - Clients' metrics tell the first 100 addresses and the first 1000 methods apart; all further ones are _OTHER.
package grpc
