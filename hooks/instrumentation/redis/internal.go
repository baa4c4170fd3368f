package redis

import (
	"context"
	"time"

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

// BeforePings runs before (*clusterNode).updateLatency() and Loading(), which send pings.
func BeforePings(ictx HookContext, _ interface{}) { ictx.SetData(command.EnterInternal()) }

// BeforeHeartbeat runs before (*ringSharding).Heartbeat(ctx, frequency), which asks the servers of a ring whether they are there, for as long as there is the
// ring. The program may have a function of its own that does it.
func BeforeHeartbeat(ictx HookContext, _ interface{}, _ context.Context, _ time.Duration) {
	ictx.SetData(command.EnterInternal())
}

// AfterPings runs when updateLatency or Heartbeat has returned.
func AfterPings(ictx HookContext) { leave(ictx) }

// AfterLoading runs when Loading has returned.
func AfterLoading(ictx HookContext, _ bool) { leave(ictx) }

func leave(ictx HookContext) {
	if s, ok := ictx.GetData().(*rt.Scope); ok {
		s.Leave()
	}
}

func quiet(ictx HookContext, ctx context.Context) {
	if ctx != nil {
		ictx.SetParam(1, command.Quiet(ctx))
	}
}
