module github.com/otelobj/otelobj/gotypes

go 1.22
