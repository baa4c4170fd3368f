// Command hostile is a server, and clients that mean it no good.
//
//	hostile serve                                       prints the addresses of an HTTP/1.1 and an HTTP/2 (TLS) server
//	hostile attack -n 1000 [-path /items/] URL [TLSURL]
//
// The clients are not instrumented: no one of these requests has a trace.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: hostile serve|attack")
	}
	switch os.Args[1] {
	case "serve":
		serve()
	case "attack":
		flags := flag.NewFlagSet("attack", flag.ExitOnError)
		n := flags.Int("n", 1000, "requests")
		path := flags.String("path", "/items/", "what paths begin with")
		_ = flags.Parse(os.Args[2:])
		attack(flags.Arg(0), flags.Arg(1), *path, *n)
	default:
		fail("usage: hostile serve|attack")
	}
}

func fail(what any) {
	fmt.Fprintln(os.Stderr, "hostile:", what)
	os.Exit(1)
}
