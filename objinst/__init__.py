"""otelobj: OpenTelemetry for Go programs at the price of a relink."""

VERSION = "0.1.0"
