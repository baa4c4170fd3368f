//go:build !hand

package main

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"
	"github.com/sirupsen/logrus"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
)

func start() (stop func()) { return func() {} }

func spanContext() context.Context { return context.Background() }

func ginMiddleware() []gin.HandlerFunc                           { return nil }
func chiMiddleware(chi.Routes) []func(http.Handler) http.Handler { return nil }
func muxMiddleware() []mux.MiddlewareFunc                        { return nil }
func echoMiddleware() []echo.MiddlewareFunc                      { return nil }
func httpHandler(h http.Handler) http.Handler                    { return h }
func httpTransport(t http.RoundTripper) http.RoundTripper        { return t }
func serverOptions() []grpc.ServerOption                         { return nil }
func dialOptions() []grpc.DialOption                             { return nil }
func openSQL(driverName, dataSourceName string) (*sql.DB, error) {
	return sql.Open(driverName, dataSourceName)
}
func pgxTracer() pgx.QueryTracer              { return nil }
func instrumentRedis(*redis.Client)           {}
func slogHandler(h slog.Handler) slog.Handler { return h }
func zapCore(c zapcore.Core) zapcore.Core     { return c }
func instrumentLogrus(*logrus.Logger)         {}
