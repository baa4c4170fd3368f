package redis

import (
	"context"
	"net"
	"weak"

	lib "github.com/redis/go-redis/v9"

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
	c.AddHook(&hook{client: command.NewClient(o.Network, o.Addr, o.DB)})
	watched := weak.Make(c)
	limit, minIdle, maxIdle := int64(o.PoolSize), int64(o.MinIdleConns), int64(o.MaxIdleConns)
	command.Watch(o.Addr, func() (command.Pool, bool) {
		c := watched.Value()
		if c == nil {
			return command.Pool{}, false
		}
		s := c.PoolStats()
		return command.Pool{
			Idle: int64(s.IdleConns), Used: int64(s.TotalConns) - int64(s.IdleConns), Timeouts: int64(s.Timeouts), Max: limit, MinIdle: minIdle, MaxIdle: maxIdle,
		}, true
	})
}

// hook is that of one client.
type hook struct{ client *command.Client }

// DialHook implements redis.Hook.
func (h *hook) DialHook(next lib.DialHook) lib.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err == nil {
			h.client.Dialled(conn)
		}
		return conn, err
	}
}

// ProcessHook implements redis.Hook.
func (h *hook) ProcessHook(next lib.ProcessHook) lib.ProcessHook {
	return func(ctx context.Context, cmd lib.Cmder) error {
		call := h.client.Begin(ctx, cmd)
		if call == nil {
			return next(ctx, cmd)
		}
		returned := false
		defer func() {
			if !returned {
				call.Unwind()
			}
		}()
		err := next(contexts.Offering(call, ctx), cmd)
		returned = true
		call.End(err, err != lib.Nil)
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h *hook) ProcessPipelineHook(next lib.ProcessPipelineHook) lib.ProcessPipelineHook {
	return func(ctx context.Context, cmds []lib.Cmder) error {
		call := command.BeginBatch(h.client, ctx, cmds)
		if call == nil {
			return next(ctx, cmds)
		}
		returned := false
		defer func() {
			if !returned {
				call.Unwind()
			}
		}()
		err := next(contexts.Offering(call, ctx), cmds)
		returned = true
		failed := err
		for i := 0; failed == nil && i < len(cmds); i++ { // releases differ in whether they return it
			if e := cmds[i].Err(); e != lib.Nil {
				failed = e
			}
		}
		call.End(failed, failed != lib.Nil)
		return err
	}
}
