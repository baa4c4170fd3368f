package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
)

func serve() {
	mux := http.NewServeMux()
	mux.HandleFunc("/items/{id}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, r.PathValue("id")[:min(10, len(r.PathValue("id")))], n)
	})
	mux.HandleFunc("/boom", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	plain := httptest.NewUnstartedServer(mux)
	plain.Config.ErrorLog = silent()
	plain.Start()
	secure := httptest.NewUnstartedServer(mux)
	secure.Config.ErrorLog = silent()
	secure.EnableHTTP2 = true
	secure.StartTLS()
	fmt.Println("serving", plain.URL, secure.URL)
	select {}
}
