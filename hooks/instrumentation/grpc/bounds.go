package grpc

import (
	"net"
	"strings"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/otelobj/otelobj/hooks/rt/sanitize"
)

// What others choose does not decide how much is kept.

// nameOther describes a span whose method is not one of the known ones.
func nameOther(span trace.Span, method string) {
	if span.IsRecording() {
		span.SetName("grpc")
		span.SetAttributes(keyMethodOriginal.String(sanitize.Text(strings.TrimPrefix(method, "/"))))
	}
}

// bounded returns the end of a call with a message that is not too long and has no secrets in its URLs, and with a code that exists: a server may answer with
// any number, and each would be a time series.
func bounded(end *stats.End) *stats.End {
	if end.Error == nil {
		return end
	}
	s, _ := status.FromError(end.Error)
	code, message := s.Code(), s.Message()
	if code > codes.Unauthenticated { // the last one
		code, message = codes.Unknown, code.String()+": "+message
	}
	message = sanitize.Message(message)
	if code == s.Code() && message == s.Message() {
		return end
	}
	short := *end
	short.Error = status.Error(code, message)
	return &short
}

// What metrics of clients tell apart: a proxy calls servers and methods that strangers name.
var (
	addresses = sanitize.NewFirst(100)
	called    = sanitize.NewFirst(1000)
)

// other is the address of a server that is one too many.
type other struct{ net.Addr }

// String implements net.Addr.
func (other) String() string { return methodOther }
