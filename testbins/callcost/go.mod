module example.com/callcost

go 1.24

require github.com/otelobj/otelobj/hooks/rt v0.0.0

replace github.com/otelobj/otelobj/hooks/rt => ../../hooks/rt
