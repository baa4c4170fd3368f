// Package redis has the hooks that trace and measure clients of github.com/redis/go-redis/v9; package v8 has those of github.com/go-redis/redis/v8,
// and package command what both have in common.
//
// Each client of one server gets a hook of the library's own kind (redis.Hook) when it has been made, so it is the outermost one: before those that the
// program adds. Clients of clusters and rings consist of such clients, and clients of sentinels are one; so no command has two spans.
//
// What the library does on its own is left out: the handshake of connections, the state of a cluster, heartbeats. A program that uses redisotel
// traces its clients itself; ours are then silent (yield.go).
//
// # What differs from redisotel, and why
//
//   - Attributes and metrics are those of the stable semantic conventions, where redisotel has db.system, db.statement and milliseconds.
//   - Arguments of commands are left out, unless OTELOBJ_REDIS_ARGUMENTS asks for them. redisotel records them.
//   - There is no span for making a connection (redis.dial) and none for its handshake. What fails there fails the command.
//   - A command without a parent has a span, with v8, too.
//   - The caller's place in the source is not recorded: it costs more than the rest of the span.
package redis
