// Command byhand is a shop with a server and a client, one source for a program in several forms. Build tags say what it has of OpenTelemetry:
//
//	api       spans, metrics and baggage of its own
//	sdk       providers and a propagator of its own, which export by OTLP
//	auto      the same, set up by the variables of the environment, as a program is instrumented by hand
//	otelhttp  its server and its client wrapped with otelhttp
//	runtime   metrics of the Go runtime, by OpenTelemetry's package
//
// It does one thing at a time and prints what it sees, so two forms can be compared.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
)

func main() {
	ctx := context.Background()
	shutDown := setUp(ctx)
	measure()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s := &shop{url: "http://" + listener.Addr().String(), client: &http.Client{Transport: transport(http.DefaultTransport)}}
	server := &http.Server{Handler: handler(s.routes())}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	morning(ctx)
	s.do(ctx, http.MethodGet, "/orders/7?secret=1", "")
	s.do(ctx, http.MethodPost, "/orders", `{"item":"anvil"}`)
	s.do(ctx, http.MethodDelete, "/orders/7", "")
	s.do(ctx, http.MethodGet, "/nothing", "")
	s.do(ctx, http.MethodGet, "/moved", "")
	s.do(ctx, "BREW", "/pot", "")
	evening(ctx, s)

	if err := server.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	<-served
	shutDown()
}

type shop struct {
	url    string
	client *http.Client
}

func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		look(r.Context(), r.PathValue("id"))
		fmt.Fprint(w, "an order")
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			log.Fatal(err)
		}
		place(r.Context(), len(body), func(ctx context.Context) { s.do(ctx, http.MethodGet, "/stock/anvil", "") })
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("GET /stock/{item}", func(w http.ResponseWriter, r *http.Request) {
		count(r.Context(), r.PathValue("item"))
		fmt.Fprint(w, 3)
	})
	mux.HandleFunc("DELETE /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		refuse(r.Context())
		http.Error(w, "sorry", http.StatusInternalServerError)
	})
	mux.Handle("/moved", http.RedirectHandler("/orders/8", http.StatusFound))
	mux.HandleFunc("/pot", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	return mux
}

// do asks the shop's server for something and prints the answer.
func (s *shop) do(ctx context.Context, method, path, body string) {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, content)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	fmt.Println(method, path, resp.StatusCode, len(text), err)
}
