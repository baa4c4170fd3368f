package difftest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/otelobj/otelobj/hooks/instrumentation/nethttp"
	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// BenchmarkServer is one request through the hooks, otelhttp, and nothing but the handler.
func BenchmarkServer(b *testing.B) {
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())))
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, sampler := range []sdktrace.Sampler{sdktrace.AlwaysSample(), sdktrace.NeverSample()} {
		otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler)))
		b.Run("hooks/"+sampler.Description(), func(b *testing.B) {
			ictx := hooktest.New(nil, nil, nil)
			serve(b, func(w http.ResponseWriter, r *http.Request) {
				nethttp.BeforeServeHTTP(ictx, nil, w, r)
				handler(w, r)
				nethttp.AfterServeHTTP(ictx)
			})
		})
		b.Run("otelhttp/"+sampler.Description(), func(b *testing.B) { serve(b, sides[0].handler(handler).ServeHTTP) })
	}
}

func serve(b *testing.B, h http.HandlerFunc) {
	b.Helper()
	b.ReportAllocs()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "http://example.com/path", nil)
	ctx := r.Context()
	for range b.N {
		h(w, r.WithContext(ctx))
	}
}
