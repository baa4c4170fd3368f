package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

var prices = map[string]int{"kettle": 30, "anvil": 120, "unicorn": 9000}

// shop sells what the stock has. The stock asks it for prices.
func shop(stock grpc.ClientConnInterface) http.Handler {
	router := chi.NewRouter()
	router.Get("/buy/{item}", func(w http.ResponseWriter, r *http.Request) {
		item := chi.URLParam(r, "item")
		var answer wrapperspb.StringValue
		err := stock.Invoke(r.Context(), reserve, wrapperspb.String(item), &answer)
		switch status.Code(err) {
		case codes.OK:
			slog.InfoContext(r.Context(), "sold", "item", item)
			fmt.Fprintf(w, "sold: %s\n", answer.GetValue())
		case codes.NotFound:
			http.Error(w, "never heard of it", http.StatusNotFound)
		default:
			slog.ErrorContext(r.Context(), "the stock is in trouble", "item", item, "error", err)
			http.Error(w, "the stock is in trouble", http.StatusBadGateway)
		}
	})
	router.Get("/price/{item}", func(w http.ResponseWriter, r *http.Request) {
		item := chi.URLParam(r, "item")
		if item == "mimic" {
			panic("the mimic bit the clerk")
		}
		price, ok := prices[item]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, "%d", price)
	})
	return router
}

// serveShop answers until it is asked to stop, and then finishes the requests it has.
func serveShop(stop context.Context, listener net.Listener, ready func(), stock string) error {
	conn, err := grpc.NewClient(stock, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	server := &http.Server{Handler: shop(conn), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	ready()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(limit)
}
