//go:build (!otelobj_chosen || otelobj_registry) && !otelobj_program

package sdk

import (
	"go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
)

var _ = addRegistry()

func addRegistry() bool {
	newRegistryProducer = func() metric.Producer { return prometheus.NewMetricProducer() }
	return true
}
