// Command hand is the program, instrumented by hand with otelsql.
package main

import (
	"database/sql"
	"log"

	"example.com/shared/sdk"
	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/otel/attribute"

	"example.com/app/app"
)

func main() {
	stop := sdk.Start()
	var unregister func() error
	db := app.Run(func(driverName, dataSourceName string) (*sql.DB, error) {
		db, err := otelsql.Open(driverName, dataSourceName, otelsql.WithSpanOptions(otelsql.SpanOptions{Ping: true}), otelsql.WithAttributes(attribute.String("db.system.name", "postgresql")))
		if err == nil {
			registration, failed := otelsql.RegisterDBStatsMetrics(db)
			if failed != nil {
				log.Fatal(failed)
			}
			unregister = registration.Unregister
		}
		return db, err
	})
	stop()
	if err := unregister(); err != nil {
		log.Fatal(err)
	}
	db.Close()
}
