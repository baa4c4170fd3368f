// Command demo is two small services, as services are: a shop with a router, which asks a stock by gRPC, which keeps its items in a database and what it has
// looked up in Redis; both write structured logs. It knows nothing of OpenTelemetry: `otelobj demo` builds it with -toolexec=otelobj and shows traces and logs.
//
//	demo shop  -listen 127.0.0.1:8080 -peer 127.0.0.1:8081
//	demo stock -listen 127.0.0.1:8081 -peer 127.0.0.1:8080 [-database postgres://…] [-redis 127.0.0.1:6379]
//
// The stock is slow for an anvil and fails for a unicorn, and the shop panics when it is asked for the price of a mimic.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || (args[0] != "shop" && args[0] != "stock") {
		return errors.New("usage: demo shop|stock -listen ADDRESS -peer ADDRESS [-database URL] [-redis ADDRESS]")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	peer := flags.String("peer", "", "address of the other service")
	database := flags.String("database", "", "PostgreSQL database of the stock; SQLite in memory if there is none")
	redis := flags.String("redis", "", "Redis server of the stock; one in the process if there is none")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	ready := func() { fmt.Printf("%s listens on %s\n", args[0], listener.Addr()) }
	if args[0] == "stock" {
		return serveStock(stop, listener, ready, *peer, *database, *redis)
	}
	return serveShop(stop, listener, ready, *peer)
}
