package redis

import (
	"context"

	lib "github.com/redis/go-redis/v9"

	"github.com/otelobj/otelobj/hooks/instrumentation/redis/command"
)

// A client that the program traces with redisotel is noticed when it is first used: redisotel's hook is below ours.

// BeforeTracing runs before the function that redisotel's hook makes for commands, (*tracingHook).ProcessHook.func1(ctx, cmd).
func BeforeTracing(ictx HookContext, ctx context.Context, _ lib.Cmder) { yield(ictx, ctx) }

// BeforePipelineTracing runs before the one for pipelines, (*tracingHook).ProcessPipelineHook.func1(ctx, cmds).
func BeforePipelineTracing(ictx HookContext, ctx context.Context, _ []lib.Cmder) { yield(ictx, ctx) }

func yield(ictx HookContext, ctx context.Context) {
	if hidden := command.Hide(ctx); hidden != nil {
		ictx.SetParam(0, hidden)
	}
}
