// Program load sends commands from many goroutines. Each operation has one span.
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/shared/load"
	"github.com/redis/go-redis/v9"
)

func main() {
	checker := load.Start(nil)
	client := redis.NewClient(&redis.Options{Addr: os.Args[1], Password: "hunter2", MinIdleConns: 4, PoolSize: 16})
	checker.Run(load.Operations(2), func(ctx context.Context, g, i int) error {
		key := fmt.Sprint("key", g)
		switch i % 3 {
		case 0:
			return client.Set(ctx, key, i, 0).Err()
		case 1:
			if n, err := client.Get(ctx, key).Int(); err != nil || n != i-1 {
				return fmt.Errorf("%d for %d: %w", n, i-1, err)
			}
			return nil
		}
		_, err := client.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Incr(ctx, key)
			p.Incr(ctx, key)
			return nil
		})
		return err
	})
	client.Close()
	checker.Say()
}
