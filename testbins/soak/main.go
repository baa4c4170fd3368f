// The soak program: many requests, each with work on the stack, and every answer checked.
//
// usage: soak REQUESTS WANT, where WANT is what work returns for "k-v": plain builds and hooked builds differ in it.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
)

//go:noinline
func work(text string, raw []byte, n *int) (string, error) {
	*n += len(raw)
	if text == "" {
		return "", fmt.Errorf("empty")
	}
	return strings.ToUpper(text) + string(raw), nil
}

//go:noinline
func handle(w http.ResponseWriter, r *http.Request) {
	var small [16]byte
	raw := append(small[:0], r.URL.Query().Get("v")...)
	key := string(append(small[8:8], r.URL.Query().Get("k")...))
	n := 0
	got, err := work(key+"-"+string(raw), raw, &n)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%s %d %s", got, n, r.Header.Get("X-Seen"))
}

func main() {
	requests, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "usage: soak REQUESTS hooked|plain")
		os.Exit(2)
	}
	hooked := os.Args[2] == "hooked"
	srv := httptest.NewServer(http.HandlerFunc(handle))
	defer srv.Close()
	var wg sync.WaitGroup
	const clients = 8
	bad := make(chan string, clients)
	for c := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := c; i < requests; i += clients {
				if problem := request(srv.URL, i, hooked); problem != "" {
					bad <- problem
					return
				}
			}
		}()
	}
	wg.Wait()
	close(bad)
	for problem := range bad {
		fmt.Println("wrong:", problem)
		defer os.Exit(1)
	}
	fmt.Println("done", requests)
}

func request(base string, i int, hooked bool) string {
	key, value := fmt.Sprint("k", i%10), fmt.Sprint("v", i%7)
	resp, err := http.Get(base + "/p?k=" + key + "&v=" + value)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	text := key + "-" + value
	want := fmt.Sprintf("%s%s %d ", strings.ToUpper(text), value, len(value))
	if hooked {
		want = fmt.Sprintf("%s%s|%s %d /p", strings.ToUpper(text), value, text, len(value)+1)
	}
	if string(body) != want {
		return fmt.Sprintf("got %q, want %q", body, want)
	}
	return ""
}
