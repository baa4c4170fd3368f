//go:build !otelobj_program

package sdk

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
)

// newResource describes the process. Left out are the command line, which may hold secrets, and the process's owner, for whom a
// cgo program asks the system's name service, and may wait. What is in the environment comes last and wins.
func newResource(ctx context.Context) *resource.Resource {
	res, err := resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", serviceName()),
			attribute.String("telemetry.distro.name", "otelobj"),
			attribute.String("telemetry.distro.version", Version),
		),
		resource.WithTelemetrySDK(),
		resource.WithOS(),
		resource.WithHost(),
		resource.WithContainer(),
		resource.WithProcessPID(),
		resource.WithProcessExecutableName(),
		resource.WithProcessExecutablePath(),
		resource.WithProcessRuntimeName(),
		resource.WithProcessRuntimeVersion(),
		resource.WithProcessRuntimeDescription(),
		resource.WithFromEnv(),
	)
	if !errors.Is(err, resource.ErrPartialResource) { // a detector that finds nothing here is no news
		report("resource", err)
	}
	if res == nil {
		res = resource.Default()
	}
	return res
}

// serviceName is the base name of the executable.
func serviceName() string {
	path, err := os.Executable()
	if err != nil && len(os.Args) > 0 {
		path = os.Args[0]
	}
	name := strings.TrimSuffix(filepath.Base(path), ".exe")
	if name == "" || name == "." {
		return "unknown_service:go"
	}
	return name
}
