module github.com/otelobj/otelobj/testbins/signals

go 1.24
