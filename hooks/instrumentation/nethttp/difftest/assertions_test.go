package difftest

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// considered are the interfaces that net/http and context ask for by type assertion, and why our wrappers offer them, or need not. What we wrap: bodies of
// responses (read, and written after a protocol switch), bodies of requests that a client sends, bodies of HTTP/2 requests that a server
// gets, contexts. Writers of responses, connections, transports and errors are never wrapped.
var considered = map[string]string{
	"io.Writer":                        "of a response's body: offered where the body has it",
	"io.ReadWriteCloser":               "of a response's body: offered where the body has it",
	"interface{ CloseWrite() error }":  "of a response's body: offered where the body has it",
	"io.ReadCloser":                    "of a body that a program sets: it is wrapped after that, as one",
	"io.Reader":                        "what io.NopCloser holds: isPlain looks there, too",
	"io.WriterTo":                      "of a request's body: offered where the body has it",
	"io.ByteWriter":                    "of a writer",
	"io.StringWriter":                  "of a writer",
	"stringWriter":                     "of a writer",
	"io.ReaderFrom":                    "of a connection or a writer of responses",
	"io.Closer":                        "of a connection, a writer, or a body that is one already",
	"io.Seeker":                        "of a file",
	"closeWriter":                      "of a connection",
	"Flusher":                          "of a writer of responses",
	"http.Flusher":                     "of a writer of responses",
	"Hijacker":                         "of a writer of responses",
	"http.Hijacker":                    "of a writer of responses",
	"CloseNotifier":                    "of a writer of responses",
	"http.CloseNotifier":               "of a writer of responses",
	"rwUnwrapper":                      "of a writer of responses",
	"net.Error":                        "of an error",
	"timeoutError":                     "of an error",
	"fs.ReadDirFile":                   "of a file",
	"anyDirs":                          "of a file",
	"connectionStater":                 "of a connection",
	"baseContexter":                    "of a server",
	"unencryptedHTTP2Request":          "of a connection",
	"unencryptedNetConnInTLSConn":      "of a connection",
	"erringRoundTripper":               "of a transport",
	"http2noDialH2RoundTripper":        "of a transport",
	"RoundTripper":                     "of a transport",
	"newClientConner":                  "of a transport",
	"http2stringWriter":                "of a writer",
	"http2writeEnder":                  "of a frame",
	"writeEnder":                       "of a frame",
	"headersEnder":                     "of a frame",
	"http2headersEnder":                "of a frame",
	"http2streamEnder":                 "of a frame",
	"streamEnder":                      "of a frame",
	"http2baseContexter":               "of a server",
	"http2connectionStater":            "of a connection",
	"http2unencryptedTransport":        "of a transport",
	"http2unencryptedNetConnInTLSConn": "of a connection",
	"I":                                "a type parameter of a frame's",
	"Pusher":                           "of a writer of responses",
	"canceler":                         "of a transport",
	"closeIdleTransport":               "of a transport",
	"closeIdler":                       "of a transport",
	"closeIdleConnectionser":           "of a transport",
	"h2Transport":                      "of a transport",
	"dialClientConner":                 "of a transport",
	"genericClientConn":                "of a connection",
	"http2clientConnPoolIdleCloser":    "of a pool of connections",
	"handshakeContexter":               "of a connection",
	"handshaker":                       "of a connection",
	"http2ExternalServerConfig":        "of a server's configuration",
	"http2ExternalTransportConfig":     "of a transport's configuration",
	"interface { UnencryptedNetConn() net.Conn }":    "of a connection",
	"interface { Ping(context.Context) error }":      "of a connection",
	"interface{ EnableFullDuplex() error }":          "of a writer of responses",
	"interface{ FlushError() error }":                "of a writer of responses",
	"interface{ IsHTTP2NoCachedConnError() }":        "of an error",
	"interface{ SetReadDeadline(time.Time) error }":  "of a writer of responses",
	"interface{ SetWriteDeadline(time.Time) error }": "of a writer of responses",
	"requestTooLarger":                               "of a writer of responses",
	"error":                                          "of a panic's value",
	"fmt.Stringer":                                   "of a panic's value",
	"afterFuncer":                                    "of a context: offered where the context has it",
	"stringer":                                       "of a context: offered always, or printing one would print what we know of the call",
	"context.Context":                                "of a value in a context",
}

// TestInterfacesThatAreAskedFor fails where a Go version asks for one that nobody has thought of.
func TestInterfacesThatAreAskedFor(t *testing.T) {
	source := filepath.Join(runtime.GOROOT(), "src")
	hooktest.Consider(t, []string{filepath.Join(source, "net/http") + "/...", filepath.Join(source, "context")}, considered, "afterFuncer")
}
