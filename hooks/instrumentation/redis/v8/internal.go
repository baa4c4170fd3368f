package v8

import (
	"context"
	"time"

	lib "github.com/go-redis/redis/v8"

	"github.com/otelobj/otelobj/hooks/instrumentation/redis/command"
	"github.com/otelobj/otelobj/hooks/rt"
)

// What the library does on its own has a context that says so.

// BeforeInitConn runs before (*baseClient).initConn(ctx, conn), which greets a server on a new connection.
func BeforeInitConn(ictx HookContext, _ interface{}, ctx context.Context, _ interface{}) {
	quiet(ictx, ctx)
}

// BeforeCluster runs before (*ClusterClient).loadState(ctx) and cmdsInfo(ctx), which ask a cluster about itself.
func BeforeCluster(ictx HookContext, _ interface{}, ctx context.Context) {
	quiet(ictx, ctx)
}

// BeforeRing runs before (*Ring).cmdsInfo(ctx), by which older releases ask for the commands that a server has.
func BeforeRing(ictx HookContext, _ interface{}, ctx context.Context) { quiet(ictx, ctx) }

// BeforePings runs before (*clusterNode).updateLatency(), which sends pings.
func BeforePings(ictx HookContext, _ interface{}) { ictx.SetData(command.EnterInternal()) }

// BeforeHeartbeat runs before (*ringShards).Heartbeat(frequency), which asks the servers of a ring whether they are there, for as long as there is the ring.
func BeforeHeartbeat(ictx HookContext, _ interface{}, _ time.Duration) {
	ictx.SetData(command.EnterInternal())
}

// AfterPings runs when they have returned.
func AfterPings(ictx HookContext) {
	if s, ok := ictx.GetData().(*rt.Scope); ok {
		s.Leave()
	}
}

func quiet(ictx HookContext, ctx context.Context) {
	if ctx != nil {
		ictx.SetParam(1, command.Quiet(ctx))
	}
}

// BeforeTracing runs before redisotel.(*TracingHook).BeforeProcess(ctx, cmd): the program traces this client itself.
func BeforeTracing(ictx HookContext, _ interface{}, ctx context.Context, _ lib.Cmder) {
	yield(ictx, ctx)
}

// BeforePipelineTracing runs before redisotel.(*TracingHook).BeforeProcessPipeline(ctx, cmds).
func BeforePipelineTracing(ictx HookContext, _ interface{}, ctx context.Context, _ []lib.Cmder) {
	yield(ictx, ctx)
}

func yield(ictx HookContext, ctx context.Context) {
	if hidden := command.Hide(ctx); hidden != nil {
		ictx.SetParam(1, hidden)
	}
}
