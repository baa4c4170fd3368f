//go:build !otelobj_program

package sdk

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/otelobj/otelobj/hooks/rt/environ"
)

// ForceFlush exports at once, unless nobody listens: the gRPC exporters go on trying as long as they may, and a program that ends
// must not wait for a collector that is not there.
func (p pipeline) ForceFlush(ctx context.Context) error {
	if address := p.grpcAddress(); address != "" {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			exports.note(p.signal, 0, err)
			return nil
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	return p.flusher.ForceFlush(ctx)
}

// grpcAddress returns where a gRPC exporter connects to; "" if there is none, or it may take another way than straight there.
func (p pipeline) grpcAddress() string {
	if !isOTLP(p.signal) || p.protocol() != "grpc" {
		return ""
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		if environ.Get(name) != "" {
			return ""
		}
	}
	endpoint := p.otlp("ENDPOINT")
	if endpoint == "" {
		return "localhost:4317"
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme // a name that net knows
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// otlp reads a variable of the exporter: the one for this signal, else the one for all.
func (p pipeline) otlp(name string) string {
	if v := environ.Get("OTEL_EXPORTER_OTLP_" + p.signal + "_" + name); v != "" {
		return strings.TrimSpace(v)
	}
	return strings.TrimSpace(environ.Get("OTEL_EXPORTER_OTLP_" + name))
}
