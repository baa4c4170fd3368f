module example.com/otelobj/demo

go 1.22
