// Package border decides what passes between this program and others: to whom trace context and baggage are sent, and whether those of
// its callers are believed. Every instrumentation of a client or a server asks it. It reads two variables:
//
//   - OTELOBJ_PROPAGATE_TO: hosts that get context, separated by commas; `*` stands for anything. Unset: all.
//   - OTELOBJ_TRUST_INCOMING=false: servers begin a new trace, linked to the caller's, and take no baggage.
package border

import (
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// hosts is nil where the variable is unset.
var hosts = sync.OnceValue(func() []string {
	text := environ.Get("OTELOBJ_PROPAGATE_TO")
	if text == "" {
		return nil
	}
	list := []string{}
	for _, host := range strings.Split(text, ",") {
		if host = clean(host); host != "" {
			list = append(list, host)
		}
	}
	return list
})

var trusts = sync.OnceValue(func() bool {
	text := strings.TrimSpace(environ.Get("OTELOBJ_TRUST_INCOMING"))
	yes, err := strconv.ParseBool(text)
	return text == "" || err == nil && yes // what means nothing is no trust
})

// SendsTo reports whether context goes to a host, which has no port.
func SendsTo(host string) bool {
	list := hosts()
	if list == nil {
		return true
	}
	host = clean(host)
	for _, pattern := range list {
		if ok, err := path.Match(pattern, host); ok || err != nil && pattern == host {
			return true
		}
	}
	return false
}

// Trusts reports whether a caller's context decides about trace and sampling here.
func Trusts() bool { return trusts() }

// clean is a host as it is compared: in lower case, an IPv6 address without brackets, a name without the dot at its end.
func clean(host string) string {
	host = strings.ToLower(strings.TrimSpace(host))
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.TrimSuffix(host, ".")
}
