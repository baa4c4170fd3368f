package nethttp

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

func TestSeriesAreKept(t *testing.T) {
	req := httptest.NewRequest("GET", "http://kept.example:8080/", nil)
	resp := &http.Response{StatusCode: 200, Proto: "HTTP/1.1"}
	if n := testing.AllocsPerRun(100, func() {
		activeKey{standardMethod(req.Method), false}.options()
		serverSeries{activeKey{standardMethod(req.Method), false}, protocolOf(req.Proto), "/items/{id}", 200}.options()
		seriesOf(req, resp, nil).options()
		routeKey{spanMethod(req.Method), "/items/{id}"}.name()
		if headerKey("traceparent") != "Traceparent" || headerKey("baggage") != "Baggage" || headerKey("tracestate") != "Tracestate" {
			t.Error("other headers")
		}
	}); n != 0 {
		t.Error(n, "allocations")
	}
	if got := seriesOf(req, nil, errors.New("x")); got.failure == "" || got.status != 0 {
		t.Errorf("%+v", got)
	}
	if headerKey("x-b3-traceid") != "X-B3-Traceid" {
		t.Error(headerKey("x-b3-traceid"))
	}
}

func TestSeriesAreBounded(t *testing.T) {
	var few kept[string, int]
	long := strings.Repeat("x", 1<<20)
	for i := range 2 * maxSeries {
		key := long[:3] + strconv.Itoa(i)
		if got := few.of(key, func() (string, int) { return strings.Clone(key), i }); got != i {
			t.Fatal(got)
		}
	}
	if n := len(*few.options.Load()); n != maxSeries {
		t.Error(n, "series are kept")
	}
	line := "GET /" + long + " HTTP/1.1"
	serverSeries{activeKey{"GET", false}, protocolOf(line[len(line)-len("HTTP/1.1"):]), line[4:20], 418}.options()
	for key := range *serverOptions.options.Load() {
		for _, s := range []string{key.name, key.version, key.route} {
			if at, from := uintptr(unsafe.Pointer(unsafe.StringData(s))), uintptr(unsafe.Pointer(unsafe.StringData(line))); at >= from && at < from+uintptr(len(line)) {
				t.Errorf("%q is a part of a request's first line", s)
			}
		}
	}
}
