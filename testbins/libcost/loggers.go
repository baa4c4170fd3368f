package main

import (
	"context"
	"log"
	"log/slog"

	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const message = "order placed"

func slogRecord() func() {
	logger, ctx := slog.New(slogHandler(slog.NewJSONHandler(discard, nil))), context.Background()
	return func() {
		logger.LogAttrs(ctx, slog.LevelInfo, message, slog.Int("id", 7), slog.String("customer", "ada"), slog.Float64("total", 12.5))
	}
}

func zapRecord() func() {
	logger := zap.New(zapCore(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(discard), zap.InfoLevel)))
	return func() {
		logger.Info(message, zap.Int("id", 7), zap.String("customer", "ada"), zap.Float64("total", 12.5))
	}
}

func logrusRecord() func() {
	logger := logrus.New()
	logger.SetOutput(discard)
	logger.SetFormatter(&logrus.JSONFormatter{})
	instrumentLogrus(logger)
	return func() { logger.WithFields(logrus.Fields{"id": 7, "customer": "ada", "total": 12.5}).Info(message) }
}

func zerologRecord() func() {
	logger := zerolog.New(discard).With().Timestamp().Logger()
	return func() { logger.Info().Int("id", 7).Str("customer", "ada").Float64("total", 12.5).Msg(message) }
}

func logRecord() func() {
	logger := log.New(discard, "", log.LstdFlags)
	return func() { logger.Printf("order %d of %s placed", 7, "ada") }
}
