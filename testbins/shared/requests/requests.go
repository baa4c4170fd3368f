// Package requests serves a handler and makes the same requests to it, one after the other.
package requests

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Make prints what a client gets for requests such as "GET /users/7".
func Make(h http.Handler, requests ...string) {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	defer srv.Close()
	for _, r := range requests {
		method, path, _ := strings.Cut(r, " ")
		req, err := http.NewRequest(method, srv.URL+path, nil)
		if err != nil {
			log.Fatal(err)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req) // one that is not reused is not tried again
		if err != nil {
			fmt.Println(r, "failed")
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(r, resp.StatusCode, strings.TrimSpace(string(body)))
	}
}
