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
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// clients at a time: few, or the peak says how many large requests a busy machine was reading at once rather than what the server keeps.
const clients = 4

// runs are texts of one letter each, as long as any is needed: to make one for each request would take longer than to send it.
var runs = func() (all [26]string) {
	for i := range all {
		all[i] = strings.Repeat(string(rune('a'+i)), 900_000)
	}
	return all
}()

var commas = strings.Repeat(",", 500_000)

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
				if i%8 == 5 {
					wg.Add(1)
					go slow(u.Host, prefix, i, wg.Done)
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
	long := func(n int) string { return runs[random.IntN(len(runs))][:n] }
	method, path, header := []string{"GET"}, []string{prefix, strconv.Itoa(i)}, []string(nil)
	switch i % 8 {
	case 0: // a path and a query of its own
		path = append(path, "-", long(200), "?q=", long(100_000))
	case 1: // a method of its own
		method = []string{"M", strconv.Itoa(i), long(10_000)}
	case 2: // a header of nearly a megabyte
		header = []string{"User-Agent: ", long(900_000), "\r\n"}
	case 3:
		header = []string{"X-Forwarded-For: 10.0.0.", strconv.Itoa(i), ", ", long(300_000), "\r\nBaggage: a=", long(8000), "\r\n"}
	case 4: // a trace of its own, and state
		header = []string{fmt.Sprintf("Traceparent: 00-%032x-%016x-01\r\nTracestate: a=b", i+1, i+1), commas, "\r\n"}
	case 6: // an absolute one, whose host is a part of it
		path = []string{fmt.Sprintf("http://host%d.example/boom?", i), long(500_000)}
	}
	host := fmt.Sprintf(" HTTP/1.1\r\nHost: host%d.example:%d\r\n", i, 1+i%60000)
	var request net.Buffers
	for _, text := range slices.Concat(method, []string{" "}, path, []string{host}, header, []string{"\r\n"}) {
		request = append(request, unsafe.Slice(unsafe.StringData(text), len(text))) // which is only read
	}
	if _, err := request.WriteTo(conn); err != nil {
		return false
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && !resp.Close
}

// slow sends a body that comes slowly, and is not finished. Others are sent meanwhile.
func slow(host, prefix string, i int, done func()) {
	defer done()
	conn, err := net.Dial("tcp", host)
	if err != nil {
		fail(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %sslow HTTP/1.1\r\nHost: h%d.example\r\nContent-Length: 1000000\r\n\r\n%s", prefix, i, runs[0][:1000])
	for range 4 {
		if err != nil {
			return // the server has had enough
		}
		time.Sleep(50 * time.Millisecond)
		_, err = io.WriteString(conn, "x")
	}
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
