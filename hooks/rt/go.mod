module github.com/otelobj/otelobj/hooks/rt

go 1.22
