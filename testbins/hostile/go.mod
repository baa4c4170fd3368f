module example.com/otelobj/hostile

go 1.24
