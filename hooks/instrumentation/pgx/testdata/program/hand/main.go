// Command hand is the program, instrumented by hand with otelpgx.
package main

import (
	"context"
	"log"

	"example.com/shared/sdk"
	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel"

	"example.com/app/app"
)

func main() {
	stop := sdk.Start()
	ctx, span := otel.Tracer("parent").Start(context.Background(), "parent") // otelpgx makes no spans without one
	app.Run(ctx, otelpgx.NewTracer(), func(pool *pgxpool.Pool) {
		if err := otelpgx.RecordStats(pool); err != nil {
			log.Fatal(err)
		}
	})
	span.End()
	stop()
}
