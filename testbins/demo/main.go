// Command demo is two small services, a shop and its stock, that ask each other over HTTP. It knows nothing of OpenTelemetry:
// `otelobj demo` builds it with -toolexec=otelobj and shows the traces.
//
//	demo shop  -listen 127.0.0.1:8080 -peer http://127.0.0.1:8081
//	demo stock -listen 127.0.0.1:8081 -peer http://127.0.0.1:8080
//
// The stock is slow for an anvil, fails for a unicorn and panics for a mimic.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || (args[0] != "shop" && args[0] != "stock") {
		return errors.New("usage: demo shop|stock -listen ADDRESS -peer URL")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	peer := flags.String("peer", "", "URL of the other service")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	handler := shop(*peer)
	if args[0] == "stock" {
		handler = stock(*peer)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Printf("%s listens on http://%s\n", args[0], listener.Addr())
	return serve(listener, handler)
}

// serve answers until the process is asked to stop, and then finishes the requests it has.
func serve(listener net.Listener, handler http.Handler) error {
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	limit, cancelLimit := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancelLimit()
	return server.Shutdown(limit)
}
