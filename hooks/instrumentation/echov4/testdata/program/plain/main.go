// Command plain is the service, and knows nothing of OpenTelemetry.
package main

import "example.com/app/app"

func main() { app.Run() }
