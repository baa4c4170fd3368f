// Command plain is the program, and knows nothing of OpenTelemetry.
package main

import (
	"database/sql"

	"example.com/app/app"
)

func main() { app.Run(sql.Open) } // it stays open: the pool is measured when the program ends
