//go:build runtime

package main

import (
	"log"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
)

func measure() {
	if err := runtime.Start(); err != nil {
		log.Fatal(err)
	}
}
