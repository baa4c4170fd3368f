module github.com/otelobj/otelobj/hooks/probe

go 1.22
