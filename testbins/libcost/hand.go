//go:build hand

package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"

	"github.com/XSAM/otelsql"
	"github.com/exaring/otelpgx"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	"github.com/riandyrn/otelchi"
	otelchimetric "github.com/riandyrn/otelchi/metric"
	"github.com/sirupsen/logrus"
	"go.opentelemetry.io/contrib/bridges/otellogrus"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/bridges/otelzap"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gorilla/mux/otelmux"
	"go.opentelemetry.io/contrib/instrumentation/github.com/labstack/echo/otelecho"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log/global"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"

	"example.com/shared/sdk"
)

const name = "libcost"

// start sets the providers; those of logs are no part of package sdk.
func start() (stop func()) {
	ctx, stopSDK := context.Background(), sdk.Start()
	exporter, err := autoexport.NewLogExporter(ctx)
	check(err)
	records := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	global.SetLoggerProvider(records)
	return func() {
		check(records.Shutdown(ctx))
		stopSDK()
	}
}

// spanContext has a span that does not end: otelpgx and redisotel record nothing without one.
func spanContext() context.Context {
	ctx, _ := otel.Tracer(name).Start(context.Background(), "parent")
	return ctx
}

func ginMiddleware() []gin.HandlerFunc { return []gin.HandlerFunc{otelgin.Middleware(name)} }

// chiMiddleware has a metric beside the spans, as the instrumentation of the other routers has on its own.
func chiMiddleware(r chi.Routes) []func(http.Handler) http.Handler {
	metrics := otelchimetric.NewBaseConfig(name)
	return []func(http.Handler) http.Handler{otelchi.Middleware(name, otelchi.WithChiRoutes(r)), otelchimetric.NewRequestDurationMillis(metrics)}
}

func muxMiddleware() []mux.MiddlewareFunc { return []mux.MiddlewareFunc{otelmux.Middleware(name)} }

func echoMiddleware() []echo.MiddlewareFunc { return []echo.MiddlewareFunc{otelecho.Middleware(name)} }

func httpHandler(h http.Handler) http.Handler { return otelhttp.NewHandler(h, name) }

func httpTransport(t http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(t) }

func serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler())}
}

func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler())}
}

// openSQL leaves out the span of the rows, so that a query has one span, and says where the database is, as otelobj does.
func openSQL(driverName, dataSourceName string) (*sql.DB, error) {
	attributes := append(otelsql.AttributesFromDSN(dataSourceName), attribute.String("db.system.name", "postgresql"), attribute.String("db.namespace", "shop"))
	db, err := otelsql.Open(driverName, dataSourceName, otelsql.WithAttributes(attributes...),
		otelsql.WithSpanOptions(otelsql.SpanOptions{OmitRows: true, OmitConnectorConnect: true}))
	if err == nil {
		_, err = otelsql.RegisterDBStatsMetrics(db)
	}
	return db, err
}

func pgxTracer() pgx.QueryTracer { return otelpgx.NewTracer() }

func instrumentRedis(c *redis.Client) {
	check(errors.Join(redisotel.InstrumentTracing(c), redisotel.InstrumentMetrics(c)))
}

func slogHandler(h slog.Handler) slog.Handler {
	return slog.NewMultiHandler(h, otelslog.NewHandler(name))
}

func zapCore(c zapcore.Core) zapcore.Core { return zapcore.NewTee(c, otelzap.NewCore(name)) }

func instrumentLogrus(l *logrus.Logger) { l.AddHook(otellogrus.NewHook(name)) }
