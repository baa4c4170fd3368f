// Package v8 has the hooks that trace and measure clients of github.com/go-redis/redis/v8. See package redis for those of its successor.
package v8

import (
	"context"
	"weak"

	lib "github.com/go-redis/redis/v8"

	"github.com/otelobj/otelobj/hooks/instrumentation/redis/command"
	"github.com/otelobj/otelobj/hooks/rt/contexts"
)

// HookContext is what the hooks of this package need of the call they hook.
type HookContext interface {
	SetData(data any)
	GetData() any
	SetParam(idx int, val any)
}

// AfterNewClient runs when redis.NewClient or NewFailoverClient has returned.
func AfterNewClient(_ HookContext, c *lib.Client) {
	if c == nil {
		return
	}
	o := c.Options()
	c.AddHook(&hook{command.NewClient(o.Network, o.Addr, o.DB)})
	watched := weak.Make(c)
	limit, minIdle := int64(o.PoolSize), int64(o.MinIdleConns)
	command.Watch(o.Addr, func() (command.Pool, bool) {
		c := watched.Value()
		if c == nil {
			return command.Pool{}, false
		}
		s := c.PoolStats()
		return command.Pool{Idle: int64(s.IdleConns), Used: int64(s.TotalConns) - int64(s.IdleConns), Timeouts: int64(s.Timeouts), Max: limit, MinIdle: minIdle}, true
	})
}

// hook is that of one client.
type hook struct{ client *command.Client }

// BeforeProcess implements redis.Hook.
func (h *hook) BeforeProcess(ctx context.Context, cmd lib.Cmder) (context.Context, error) {
	if call := h.client.Begin(ctx, cmd); call != nil {
		return contexts.Offering(call, ctx), nil
	}
	return command.NoCall(ctx), nil
}

// AfterProcess implements redis.Hook.
func (h *hook) AfterProcess(ctx context.Context, cmd lib.Cmder) error {
	err := cmd.Err()
	command.Of(ctx).End(err, err != lib.Nil)
	return nil
}

// BeforeProcessPipeline implements redis.Hook.
func (h *hook) BeforeProcessPipeline(ctx context.Context, cmds []lib.Cmder) (context.Context, error) {
	if call := command.BeginBatch(h.client, ctx, cmds); call != nil {
		return contexts.Offering(call, ctx), nil
	}
	return command.NoCall(ctx), nil
}

// AfterProcessPipeline implements redis.Hook.
func (h *hook) AfterProcessPipeline(ctx context.Context, cmds []lib.Cmder) error {
	var failed error
	for i := 0; failed == nil && i < len(cmds); i++ {
		if err := cmds[i].Err(); err != lib.Nil {
			failed = err
		}
	}
	command.Of(ctx).End(failed, failed != nil)
	return nil
}
