package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

var prices = map[string]int{"kettle": 30, "anvil": 120, "unicorn": 9000, "mimic": 50}

// shop sells what the stock has. The stock asks it for prices.
func shop(stockURL string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /buy/{item}", func(w http.ResponseWriter, r *http.Request) {
		answer, status, err := get(r.Context(), stockURL+"/reserve/"+url.PathEscape(r.PathValue("item")))
		switch {
		case err != nil:
			http.Error(w, "the stock does not answer", http.StatusBadGateway)
		case status == http.StatusNotFound:
			http.Error(w, "never heard of it", http.StatusNotFound)
		case status != http.StatusOK:
			http.Error(w, "the stock is in trouble", http.StatusBadGateway)
		default:
			fmt.Fprintf(w, "sold: %s\n", answer)
		}
	})
	mux.HandleFunc("GET /price/{item}", func(w http.ResponseWriter, r *http.Request) {
		price, ok := prices[r.PathValue("item")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, "%d", price)
	})
	return mux
}

var client = &http.Client{Timeout: 10 * time.Second}

// get returns the body and the status.
func get(ctx context.Context, address string) (string, int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), response.StatusCode, err
}
