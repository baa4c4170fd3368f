package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// sink prints the address on which it listens, takes OTLP/HTTP below any path, /KEY/v1/traces, and answers GET / with how many spans and log records each KEY has
// sent, and how many attributes these had.
func sink() {
	var mu sync.Mutex
	got := map[string][2]int{}
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			mu.Lock()
			defer mu.Unlock()
			check(json.NewEncoder(w).Encode(got))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		key, signal, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/v1/")
		if attributes, ok := map[string]protowire.Number{"traces": 9, "logs": 6}[signal]; ok {
			mu.Lock()
			defer mu.Unlock()
			sum := got[key]
			got[key] = [2]int{sum[0] + messages(body, 1, 2, 2), sum[1] + messages(body, 1, 2, 2, attributes)}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("http://" + l.Addr().String())
	check(http.Serve(l, http.HandlerFunc(handler)))
}

// messages counts those at a path of field numbers. In TracesData and LogsData, the numbers down to what was recorded are the same.
func messages(message []byte, path ...protowire.Number) int {
	if len(path) == 0 {
		return 1
	}
	found := 0
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		check(protowire.ParseError(n))
		message = message[n:]
		n = protowire.ConsumeFieldValue(number, kind, message)
		check(protowire.ParseError(n))
		if number == path[0] && kind == protowire.BytesType {
			field, _ := protowire.ConsumeBytes(message)
			found += messages(field, path[1:]...)
		}
		message = message[n:]
	}
	return found
}
