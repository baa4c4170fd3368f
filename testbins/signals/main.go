// Command signals calls package os/signal as standard input asks for, a line at a time, and says what it has done and which signals came.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var names = map[string]syscall.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1}

// take gives a signal (TERM or USR1) to a C handler, which says "c TERM" or "c USR1". Nil without cgo.
var take func(syscall.Signal)

var out sync.Mutex

func say(words ...any) {
	out.Lock()
	defer out.Unlock()
	fmt.Println(words...)
}

func init() {
	if sig, ok := names[os.Getenv("SIGNAL_IN_INIT")]; ok {
		syscall.Kill(syscall.Getpid(), sig)
		time.Sleep(time.Hour)
	}
}

type heard struct {
	name string
	c    chan os.Signal
	once bool // it stops listening as soon as it has heard something
}

func (h *heard) tell() {
	for s := range h.c {
		for name, sig := range names { // the runtime sends itself others
			if s == sig {
				if h.once {
					signal.Stop(h.c)
				}
				say("got", h.name, name)
			}
		}
	}
}

type stopped struct {
	stop  context.CancelFunc
	ended atomic.Bool // before a signal came
}

func main() {
	srv := &http.Server{Addr: "127.0.0.1:0"}
	switch os.Args[1] {
	case "stop", "defer":
		go srv.ListenAndServe()
		os.Exit(graceful(srv, os.Args[1] == "stop"))
	case "sleep":
		time.Sleep(time.Hour)
	}
	channels, contexts := map[string]*heard{}, map[string]*stopped{}
	lines := bufio.NewScanner(os.Stdin)
	say("ready")
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		sigs := func(from int) (list []os.Signal) {
			for _, word := range words[from:] {
				list = append(list, names[word])
			}
			return list
		}
		switch words[0] {
		case "notify":
			h := channels[words[1]]
			if h == nil {
				h = &heard{words[1], make(chan os.Signal, 100), words[1][0] == 'o'}
				channels[words[1]] = h
				go h.tell()
			}
			signal.Notify(h.c, sigs(2)...)
		case "stop":
			if h := channels[words[1]]; h != nil {
				signal.Stop(h.c)
			}
		case "context", "eager": // an eager one is stopped as soon as it is done
			ctx, stop := signal.NotifyContext(context.Background(), sigs(2)...)
			s := &stopped{stop: stop}
			contexts[words[1]] = s
			go func() {
				<-ctx.Done()
				if words[0] == "eager" {
					stop()
				}
				if !s.ended.Load() {
					say("done", words[1])
				}
			}()
		case "end":
			if s := contexts[words[1]]; s != nil {
				s.ended.Store(true)
				s.stop()
			}
		case "ignore":
			signal.Ignore(sigs(1)...)
		case "reset":
			signal.Reset(sigs(1)...)
		case "take":
			take(names[words[1]])
		case "kill":
			syscall.Kill(syscall.Getpid(), names[words[1]])
		case "exit":
			code, _ := strconv.Atoi(words[1])
			os.Exit(code)
		}
		say("ok")
	}
}

// graceful is what the documentation of package os/signal recommends.
func graceful(srv *http.Server, early bool) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	say("ready")
	defer stop()
	<-ctx.Done()
	if early {
		stop()
	}
	srv.Shutdown(context.Background())
	time.Sleep(5 * time.Millisecond)
	return 42
}
