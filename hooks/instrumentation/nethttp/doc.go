// Package nethttp has the hooks that trace and measure net/http: servers and clients, HTTP/1.1, TLS and HTTP/2.
//
// Spans and metrics are those of go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp with the stable semantic
// conventions. Where versions of otelhttp differ, the newer one is followed: the server span is named "{method} {route}"
// after http.Request.Pattern, http.route is an attribute of span and metrics, an unknown method is _OTHER, the client
// reports the protocol version that was negotiated, and error.type is what v0.72 has. http.server.active_requests, which is in the
// semantic conventions, is here alone.
//
// # Constraints
//
// The program must behave as it does without hooks. So nothing that net/http or a handler can look at is wrapped on the
// server: the handler gets the very *http.Request and http.ResponseWriter that net/http made. The request's context is set
// in place, status and size are read from the response's own fields once the handler has returned, and bytes of the request
// body are counted below the body. All of these are unexported fields; fields.go finds them by name and type, once for each
// type, and what is not found is left out of the telemetry.
//
// The client may replace the *http.Request for the time of the call, since a RoundTripper must not change the one it is
// given, and hides that wherever identity matters: Response.Request, and Transport.CancelRequest.
//
// The package compiles against old versions of the OpenTelemetry API, back to v1.24, because the program's own version wins:
// it imports no semconv package (they are bound to a version each) and uses no API that is newer.
//
// Routers other than http.ServeMux name the route by hooks/rt/request: routes.go.
//
// Paths that OTELOBJ_HTTP_EXCLUDED_PATHS names have metrics and no spans: excluded.go.
//
// # What differs from otelhttp, and why
//
// The newest one that was compared, v0.72.0, emits no span, metric or attribute that is not here.
//
//   - A handler that panics: otelhttp ends the span with an exception event and no status. Here the status is Error, unless
//     the handler panicked with http.ErrAbortHandler, which is how a handler asks for the connection to be closed. As in
//     otelhttp no metric is recorded; http.response.status_code is there if the header was written before the panic.
//   - Bytes that reach the client through io.ReaderFrom count in http.response.body.size; otelhttp does not see them. Bytes
//     that net/http itself throws away when a handler leaves its request body unread, or that Close reads to find the
//     body's end, count in http.request.body.size while the handler runs.
//   - A handler that takes over its connection answers there, and nobody knows how: there is no status, where otelhttp says 200. It is
//     known if the handler has written it before (WriteHeader), or is an httputil.ReverseProxy that switches protocols.
//   - http.client.request.body.size is what was read of the body when the response's header had arrived; otelhttp waits, from v0.7x on,
//     until the body is closed. A body in memory or a file is not wrapped (see isPlain), so nobody could tell.
//   - The client reads the request's own body where otelhttp calls GetBody for another one.
//   - A response without a body ends the client span at once, and Response.Body stays http.NoBody.
package nethttp
