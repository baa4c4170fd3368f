//go:build !otelobj_program

package sdk

import (
	"slices"
	"strings"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// notLinked says what the environment asks for, and what there is.
func notLinked(signal string, others []string) error {
	variable := "OTEL_" + signal + "_EXPORTER"
	asked := environ.Get(variable)
	if isOTLP(signal) {
		asked = "otlp by " + pipeline{signal: signal}.protocol()
		for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL"} {
			if environ.Get(name) != "" {
				variable = name
			}
		}
	}
	for protocol := range transports {
		others = append(others, "otlp by "+protocol)
	}
	slices.Sort(others)
	there := strings.Join(others, ", ")
	return absentError{variable, "exporter " + asked + " is not in this program: OTELOBJ_EXPORTERS has chosen others when it was built (" + there + ")"}
}
