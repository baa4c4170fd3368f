package meters

import (
	"context"
	"testing"

	privateotel "otelobj.private/go.opentelemetry.io/otel"
	privateattr "otelobj.private/go.opentelemetry.io/otel/attribute"
	private "otelobj.private/go.opentelemetry.io/otel/metric"
)

// Synchronous gauges of instrumentations reach the program's provider, whose API may have none: the last value of each set is shown.
func TestGaugesOfInstrumentations(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		Connect()
		collected := ours()
		m := privateotel.Meter("m")
		i, f := must(m.Int64Gauge("i", private.WithUnit("By"))), must(m.Float64Gauge("f"))
		record := func(n int64) {
			i.Record(context.Background(), n)
			i.Record(context.Background(), n+1, private.WithAttributes(privateattr.String("k", "v")))
			i.Record(context.Background(), n+2, private.WithAttributes(privateattr.String("k", "v")))
			f.Record(context.Background(), float64(n)+0.5)
		}
		record(1)
		same(t, collected(t), []string{"m/f   1.5", "m/i By  1", "m/i By k=v 3"})
		provider, programCollected := theirs()
		set(provider)
		record(4)
		same(t, programCollected(t), []string{"m/f   4.5", "m/i By  4", "m/i By k=v 6"})
	})
}
