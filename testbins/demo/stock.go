package main

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const farAway = 150 * time.Millisecond

// stock reserves items, and asks the shop what they cost.
func stock(shopURL string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /reserve/{item}", func(w http.ResponseWriter, r *http.Request) {
		item := r.PathValue("item")
		price, status, err := get(r.Context(), shopURL+"/price/"+url.PathEscape(item))
		if err != nil || status != http.StatusOK {
			http.NotFound(w, r)
			return
		}
		switch item {
		case "anvil":
			time.Sleep(farAway)
		case "unicorn":
			http.Error(w, "it ran away", http.StatusInternalServerError)
			return
		case "mimic":
			panic("the mimic bit the clerk")
		}
		fmt.Fprintf(w, "%s for %s", item, price)
	})
	return mux
}
