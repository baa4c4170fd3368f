// Command plain is the program, and knows nothing of OpenTelemetry.
package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/app/app"
)

func main() { app.Run(context.Background(), nil, func(*pgxpool.Pool) {}) }
