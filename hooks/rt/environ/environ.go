// Package environ reads environment variables for hooks. A program that runs with privileges its user does not have (setuid, setgid, file
// capabilities) has an environment that somebody else has written: there every variable is unset.
package environ

import (
	"os"

	"github.com/otelobj/otelobj/hooks/rt"
)

// Get returns a variable, "" if it is unset or not to be trusted.
func Get(name string) string {
	if rt.Privileged() {
		return ""
	}
	return os.Getenv(name)
}
