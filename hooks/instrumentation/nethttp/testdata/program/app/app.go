// Package app is the service and the client that both programs of the differential test run: `hand` wraps its handler and its
// transport with otelhttp, `plain` knows nothing of OpenTelemetry and is instrumented at link time.
package app

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
)

// Wrap is how a program instruments what it runs.
type Wrap struct {
	Handler   func(http.Handler) http.Handler
	Transport func(http.RoundTripper) http.RoundTripper
}

// Run serves and makes the same requests in the same order, over HTTP/1.1, over TLS and over HTTP/2, and prints what it got.
func Run(w Wrap) {
	for _, proto := range []string{"http1", "tls", "http2"} {
		runProto(proto, w)
	}
}

func runProto(proto string, w Wrap) {
	srv := httptest.NewUnstartedServer(w.Handler(mux()))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	base := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	switch proto {
	case "http1":
		srv.Start()
	case "http2":
		srv.EnableHTTP2, base.ForceAttemptHTTP2 = true, true
		srv.StartTLS()
	default:
		srv.StartTLS()
	}
	defer srv.Close()
	defer base.CloseIdleConnections()
	c := &client{proto: proto, url: srv.URL, http: &http.Client{Transport: w.Transport(base)}}
	c.script()
	srv.CloseClientConnections()
	closed := httptest.NewServer(nil)
	closed.Close()
	c.url = closed.URL
	c.get("/nobody-listens")
}

func mux() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /ok/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "ok %s", r.PathValue("id")) })
	m.HandleFunc("/error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "sorry", http.StatusInternalServerError) })
	m.HandleFunc("/empty", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	m.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok/redirected", http.StatusFound) })
	m.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = w.Write(body)
	})
	m.HandleFunc("POST /ignore", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	m.HandleFunc("/events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(err)
			}
		}
	})
	m.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	m.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	m.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	m.HandleFunc("/upgrade", upgrade)
	return m
}

// upgrade switches protocols and echoes one line.
func upgrade(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 {
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	_ = rw.Flush()
	line, _ := rw.ReadString('\n')
	_, _ = rw.WriteString(line)
	_ = rw.Flush()
}

type client struct {
	proto string
	url   string
	http  *http.Client
}

func (c *client) script() {
	c.get("/ok/7?q=1")
	c.get("/nothing")
	c.get("/error")
	c.get("/empty")
	c.get("/redirect")
	c.get("/events")
	c.do(http.MethodHead, "/ok/7", nil)
	c.do(http.MethodPost, "/echo", strings.NewReader(strings.Repeat("x", 100_000)))
	c.do(http.MethodPost, "/echo", io.MultiReader(strings.NewReader("of unknown length")))
	c.do(http.MethodPost, "/ignore", strings.NewReader("unread"))
	c.get("/panic")
	c.get("/abort")
	c.upgrade()
	c.slow()
}

func (c *client) get(path string) { c.do(http.MethodGet, path, nil) }

func (c *client) do(method, path string, body io.Reader) {
	req, err := http.NewRequest(method, c.url+path, body)
	if err != nil {
		log.Fatal(err)
	}
	c.send(req, path)
}

func (c *client) send(req *http.Request, path string) {
	resp, err := c.http.Do(req)
	if err != nil {
		fmt.Println(c.proto, req.Method, path, "failed")
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	fmt.Println(c.proto, req.Method, path, resp.StatusCode, len(text), err)
}

// arrived is where the handler of /slow tells that it has got a request.
var arrived = make(chan struct{}, 1)

// expiring is a context whose deadline passes when ended is closed.
type expiring struct {
	context.Context
	ended <-chan struct{}
}

func (c expiring) Done() <-chan struct{} { return c.ended }

func (c expiring) Err() error {
	select {
	case <-c.ended:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func (c *client) slow() {
	ended := make(chan struct{})
	go func() { <-arrived; close(ended) }()
	req, err := http.NewRequestWithContext(expiring{context.Background(), ended}, http.MethodGet, c.url+"/slow", nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = c.http.Do(req)
	fmt.Println(c.proto, "slow", errors.Is(err, context.DeadlineExceeded))
}

func (c *client) upgrade() {
	req, err := http.NewRequest(http.MethodGet, c.url+"/upgrade", nil)
	if err != nil {
		log.Fatal(err)
	}
	if c.proto != "http2" {
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "echo")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		fmt.Println(c.proto, "upgrade failed")
		return
	}
	defer resp.Body.Close()
	rw, ok := resp.Body.(io.ReadWriter)
	if !ok {
		fmt.Println(c.proto, "upgrade", resp.StatusCode)
		return
	}
	_, _ = io.WriteString(rw, "hello\n")
	line, err := bufio.NewReader(rw).ReadString('\n')
	fmt.Println(c.proto, "upgrade", resp.StatusCode, strings.TrimSpace(line), err)
}

// Fatal reports an error and ends the program.
func Fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
