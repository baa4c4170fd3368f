// Package gchooks forces a garbage collection and a stack growth in every hook.
package gchooks

import (
	"net/http"
	"runtime"
	"sync/atomic"
)

// Calls counts hook calls; the program under test reads it through CallCount.
var Calls atomic.Int64

// HookContext is what these hooks use.
type HookContext interface {
	SetData(any)
	GetData() any
	SetReturnVal(idx int, val any)
}

func stress() {
	Calls.Add(1)
	deep(60)
	runtime.GC()
}

//go:noinline
func deep(n int) byte {
	var pad [1024]byte
	pad[n%len(pad)] = byte(n)
	if n == 0 {
		return pad[1]
	}
	return deep(n-1) + pad[n%len(pad)]
}

func BeforeServe(ictx HookContext, recv interface{}, w http.ResponseWriter, r *http.Request) {
	stress()
	ictx.SetData(r.URL.Path)
	r.Header.Set("X-Seen", r.URL.Path)
}

func AfterServe(ictx HookContext) {
	stress()
	if ictx.GetData().(string) == "" {
		panic("no data")
	}
}

func BeforeRoundTrip(ictx HookContext, recv interface{}, r *http.Request) {
	stress()
	ictx.SetData(r.URL.String())
}

func AfterRoundTrip(ictx HookContext, resp *http.Response, err error) {
	stress()
	if err == nil && resp.Request.URL.String() != ictx.GetData().(string) {
		panic("wrong request")
	}
}

func BeforeWork(ictx HookContext, text string, raw []byte, n *int) {
	stress()
	ictx.SetData(text)
	*n++
}

func AfterWork(ictx HookContext, sum string, err error) {
	stress()
	ictx.SetReturnVal(0, sum+"|"+ictx.GetData().(string))
}
