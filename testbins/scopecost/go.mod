module example.com/scopecost

go 1.22

require github.com/otelobj/otelobj/hooks/rt v0.0.0

replace github.com/otelobj/otelobj/hooks/rt => ../../hooks/rt
