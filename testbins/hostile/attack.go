package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const clients = 16

func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// attack sends n requests of every kind in turn, and ends when all have been answered or cut off. secure may be "".
func attack(plain, secure, prefix string, n int) {
	u, err := url.Parse(plain)
	if err != nil {
		fail(err)
	}
	h2 := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	var wg sync.WaitGroup
	for c := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			random := rand.New(rand.NewPCG(1, uint64(c)))
			var conn net.Conn
			var answers *bufio.Reader
			for i := c; i < n; i += clients {
				if i%8 == 7 && secure != "" {
					reset(h2, secure, random)
					continue
				}
				if conn == nil {
					if conn, err = net.Dial("tcp", u.Host); err != nil {
						fail(err)
					}
					answers = bufio.NewReader(conn)
				}
				if !send(conn, answers, prefix, i, random) {
					_ = conn.Close()
					conn = nil
				}
			}
		}()
	}
	wg.Wait()
	fmt.Println("sent", n)
}

// send writes a request by hand, and reports whether the connection can be used again.
func send(conn net.Conn, answers *bufio.Reader, prefix string, i int, random *rand.Rand) bool {
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	long := func(n int) string { return strings.Repeat(string(rune('a'+random.IntN(26))), n) }
	method, path, header, body := "GET", fmt.Sprintf("%s%d", prefix, i), "", ""
	switch i % 8 {
	case 0: // a path and a query of its own
		path = fmt.Sprintf("%s%d-%s?q=%s", prefix, i, long(200), long(100_000))
	case 1: // a method of its own
		method = fmt.Sprintf("M%d%s", i, long(10_000))
	case 2: // a header of nearly a megabyte
		header = "User-Agent: " + long(900_000) + "\r\n"
	case 3:
		header = "X-Forwarded-For: 10.0.0." + fmt.Sprint(i) + ", " + long(300_000) + "\r\nBaggage: a=" + long(8000) + "\r\n"
	case 4: // a trace of its own, and state
		header = fmt.Sprintf("Traceparent: 00-%032x-%016x-01\r\nTracestate: a=b%s\r\n", i+1, i+1, strings.Repeat(",", 500_000))
	case 5: // a body that comes slowly, and is not finished
		_, _ = fmt.Fprintf(conn, "POST %sslow HTTP/1.1\r\nHost: h%d.example\r\nContent-Length: 1000000\r\n\r\n%s", prefix, i, long(1000))
		return false
	case 6: // an absolute one, whose host is a part of it
		path = fmt.Sprintf("http://host%d.example/boom?%s", i, long(500_000))
	}
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: host%d.example:%d\r\n%s\r\n%s", method, path, i, 1+i%60000, header, body)
	if _, err := io.WriteString(conn, request); err != nil {
		return false
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && !resp.Close
}

// reset begins a stream of HTTP/2 and resets it at once.
func reset(client *http.Client, secure string, random *rand.Rand) {
	ctx, cancel := context.WithCancel(context.Background())
	body, feed := io.Pipe()
	req, _ := http.NewRequestWithContext(ctx, "POST", fmt.Sprintf("%s/items/%d", secure, random.IntN(1<<30)), body)
	go func() {
		_, _ = feed.Write(make([]byte, 100))
		cancel()
		_ = feed.Close()
	}()
	if resp, err := client.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}
