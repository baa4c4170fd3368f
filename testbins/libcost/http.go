package main

import (
	"bytes"
	"io"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"
)

const answer = "ok"

func ginRequest() func() {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(ginMiddleware()...)
	r.GET("/users/:id", func(c *gin.Context) { c.String(http.StatusOK, answer) })
	return served(r)
}

func chiRequest() func() {
	r := chi.NewRouter()
	r.Use(chiMiddleware(r)...)
	r.Get("/users/{id}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) })
	return served(r)
}

func muxRequest() func() {
	r := mux.NewRouter()
	r.Use(muxMiddleware()...)
	r.HandleFunc("/users/{id}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) }).Methods(http.MethodGet)
	return served(r)
}

func echoRequest() func() {
	e := echo.New()
	e.Use(echoMiddleware()...)
	e.GET("/users/:id", func(c echo.Context) error { return c.String(http.StatusOK, answer) })
	return served(e)
}

func serveMuxRequest() func() {
	m := http.NewServeMux()
	m.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) })
	return served(httpHandler(m))
}

// served returns a request to a server. The client is a bare connection, which no instrumentation knows.
func served(h http.Handler) func() {
	l := listen()
	go http.Serve(l, h)
	c, err := net.Dial("tcp", l.Addr().String())
	check(err)
	request := []byte("GET /users/7 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: libcost\r\nAccept: */*\r\n\r\n")
	end, buffer := []byte("\r\n\r\n"+answer), make([]byte, 4096)
	return func() {
		_, err := c.Write(request)
		check(err)
		check(readUntil(c, buffer, end))
	}
}

// requestOfTwo is answered by a server that asks another one: two spans of servers, and one of a client.
func requestOfTwo() func() {
	stock := http.NewServeMux()
	stock.HandleFunc("GET /stock/{id}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) })
	l := listen()
	go http.Serve(l, httpHandler(stock))
	client, url := &http.Client{Transport: httpTransport(&http.Transport{})}, "http://"+l.Addr().String()+"/stock/7"
	shop := http.NewServeMux()
	shop.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
		check(err)
		response, err := client.Do(request)
		check(err)
		defer response.Body.Close()
		_, err = io.Copy(w, response.Body)
		check(err)
	})
	return served(httpHandler(shop))
}

// clientRequest makes a request to a server that is a bare connection.
func clientRequest() func() {
	l := listen()
	go func() {
		for {
			c, err := l.Accept()
			check(err)
			go func() {
				response := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n" + answer)
				end, buffer := []byte("\r\n\r\n"), make([]byte, 4096)
				for readUntil(c, buffer, end) == nil { // the client may close connections that it has too many of
					_, err := c.Write(response)
					check(err)
				}
			}()
		}
	}()
	client, url := &http.Client{Transport: httpTransport(&http.Transport{})}, "http://"+l.Addr().String()+"/users/7"
	return func() {
		response, err := client.Get(url)
		check(err)
		_, err = io.Copy(io.Discard, response.Body)
		check(err)
		response.Body.Close()
	}
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	return l
}

func readUntil(r io.Reader, buffer, end []byte) error {
	for n := 0; !bytes.HasSuffix(buffer[:n], end); {
		more, err := r.Read(buffer[n:])
		if err != nil {
			return err
		}
		n += more
	}
	return nil
}
