//go:build !otelobj_program

package sdk

import (
	"context"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// processors returns what the provider's metric says, or 0. Releases up to v0.53 have other metrics.
func processors(t *testing.T, reader metric.Reader) int64 {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name == "process.runtime.go.goroutines" {
				t.Skip("a release without the metric that this test reads")
			}
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "go.processor.limit" && len(sum.DataPoints) == 1 {
				return sum.DataPoints[0].Value
			}
		}
	}
	return 0
}

func TestRuntimeMetricsYield(t *testing.T) {
	reader := metric.NewManualReader()
	mp := metric.NewMeterProvider(metric.WithReader(reader))
	if err := startRuntimeMetrics(mp); err != nil {
		t.Fatal(err)
	}
	want := processors(t, reader)
	if want == 0 {
		t.Fatal("no metrics")
	}
	defer measuresItself.Store(false)
	BeforeRuntimeStart(nil, nil)
	if got := processors(t, reader); got != 0 {
		t.Errorf("%d processors, though the program measures itself", got)
	}
	if err := runtime.Start(runtime.WithMeterProvider(mp)); err != nil {
		t.Fatal(err)
	}
	if got := processors(t, reader); got != want {
		t.Errorf("%d processors, want %d", got, want)
	}
}
