"""What load generators and Go's benchmarks print is understood; anything else is not mistaken for it."""

from __future__ import annotations

import json

import pytest

from objinst.bench import gobench, loadtools

WRK = """Running 30s test @ http://127.0.0.1:8080/index.html
  12 threads and 400 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   635.91us    0.89ms  12.92ms   93.69%
    Req/Sec    56.20k     8.07k   62.00k    86.54%
  Latency Distribution
     50%  250.00us
     75%  491.00us
     90%  700.00us
     99%    5.80ms
  22464657 requests in 30.00s, 17.76GB read
  Socket errors: connect 1, read 2, write 0, timeout 4
  Non-2xx or 3xx responses: 10
Requests/sec: 748868.53
Transfer/sec:    606.33MB
"""
WRK2 = """  Latency Distribution (HdrHistogram - Recorded Latency)
 50.000%    1.23ms
 99.900%    2.01s
100.000%    1.10m
  100 requests in 1.00m, 1.00MB read
Requests/sec:   1.67
"""
HEY = """
Summary:
  Total:\t0.3504 secs
  Slowest:\t0.1217 secs
  Fastest:\t0.0105 secs
  Average:\t0.0653 secs
  Requests/sec:\t570.7727

Response time histogram:
  0.011 [1]\t|■
  0.022 [196]\t|■■■■■

Latency distribution:
  10%% in 0.0304 secs
  50%% in 0.0600 secs
  99%% in 0.1200 secs

Status code distribution:
  [200]\t190 responses
  [500]\t7 responses

Error distribution:
  [3]\tGet "http://127.0.0.1:1": dial tcp: connection refused
"""
VEGETA = """Requests      [total, rate, throughput]         250, 50.20, 50.05
Duration      [total, attack, wait]             4.995s, 4.98s, 15.253ms
Latencies     [min, mean, 50, 90, 95, 99, max]  12.2ms, 17.1ms, 16.7ms, 20.1ms, 21.7ms, 38.4ms, 1m0.5s
Bytes In      [total, mean]                     1000, 4.00
Bytes Out     [total, mean]                     0, 0.00
Success       [ratio]                           98.00%
Status Codes  [code:count]                      200:245  500:5
Error Set:
500 Internal Server Error
"""
VEGETA_JSON = json.dumps(
    {
        "latencies": {"total": 4e9, "mean": 17e6, "50th": 16e6, "90th": 20e6, "95th": 21e6, "99th": 38e6, "max": 58e6, "min": 12e6},
        "requests": 250, "rate": 50.2, "throughput": 50.05, "success": 0.98, "errors": [],
    }
)  # fmt: skip
GO = """goos: linux
pkg: example.com/x
cpu: Some CPU
BenchmarkPlace-2         \t 1000000\t      1234 ns/op\t     120 B/op\t       3 allocs/op
BenchmarkSort/n=10-2     \t     500\t   2500.5 ns/op\t  64.00 MB/s\t  7.5 swaps/op
BenchmarkLogs
    x_test.go:7: BenchmarkLogs-2 says something
BenchmarkLogs-2          \t       1\t   9 ns/op
--- BENCH: BenchmarkLogs-2
PASS
"""


def test_wrk() -> None:
    assert loadtools.parse(WRK) == loadtools.Load(
        "wrk", 22464657, 17, 748868.53, pytest.approx({"p50": 250e-6, "p75": 491e-6, "p90": 700e-6, "p99": 5.8e-3, "mean": 635.91e-6, "max": 12.92e-3})
    )


def test_wrk2() -> None:
    found = loadtools.parse(WRK2)
    assert found is not None and found.latencies == pytest.approx({"p50": 1.23e-3, "p99.9": 2.01, "p100": 66.0})


def test_wrk_without_latencies() -> None:
    text = "\n".join(line for line in WRK.splitlines() if "%" not in line or "Latency  " in line)
    found = loadtools.parse(text)
    assert found is not None and (found.requests, set(found.latencies)) == (22464657, {"mean", "max"})


def test_hey() -> None:
    expected = pytest.approx({"p10": 0.0304, "p50": 0.06, "p99": 0.12, "mean": 0.0653, "max": 0.1217})
    assert loadtools.parse(HEY) == loadtools.Load("hey", 200, 10, 570.7727, expected)
    assert loadtools.parse(HEY.replace("%%", "%")) == loadtools.Load("hey", 200, 10, 570.7727, expected)


def test_vegeta() -> None:
    expected = pytest.approx({"mean": 17.1e-3, "p50": 16.7e-3, "p90": 20.1e-3, "p95": 21.7e-3, "p99": 38.4e-3, "max": 60.5})
    assert loadtools.parse(VEGETA) == loadtools.Load("vegeta", 250, 5, 50.05, expected)


def test_vegeta_json() -> None:
    expected = pytest.approx({"mean": 17e-3, "p50": 16e-3, "p90": 20e-3, "p95": 21e-3, "p99": 38e-3, "max": 58e-3})
    assert loadtools.parse(VEGETA_JSON) == loadtools.Load("vegeta", 250, 5, 50.05, expected)


@pytest.mark.parametrize("text", ["", "done\n", "{}", '{"latencies": 1}', "Requests/sec: 5", "Latencies [a] b", WRK[:200], HEY[:120]])
def test_anything_else_is_not_understood(text: str) -> None:
    assert loadtools.parse(text) is None


@pytest.mark.parametrize(("text", "seconds"), [("1.5ms", 1.5e-3), ("1m3.5s", 63.5), ("12µs", 12e-6), ("2h", 7200), ("5", None), ("", None), ("-1s", None), ("1s!", None)])
def test_durations(text: str, seconds: float | None) -> None:
    assert loadtools.duration(text) == (None if seconds is None else pytest.approx(seconds))


def test_latencies_are_in_order() -> None:
    load = loadtools.Load("wrk", 1, 0, 1, dict.fromkeys(("max", "p99.9", "mean", "p50", "p99"), 1.0))
    assert [name for name, _ in loadtools.ordered(load)] == ["p50", "p99", "p99.9", "mean", "max"]


def test_benchmarks() -> None:
    assert gobench.parse(GO) == {
        "BenchmarkPlace": {"ns/op": 1234, "B/op": 120, "allocs/op": 3},
        "BenchmarkSort/n=10": {"ns/op": 2500.5, "MB/s": 64, "swaps/op": 7.5},
        "BenchmarkLogs": {"ns/op": 9},
    }
    assert gobench.parse("PASS\n") == {}
    sizes = "BenchmarkX/size-64{0} 5 1 ns/op\nBenchmarkX/size-128{0} 5 2 ns/op NaN J 3 B/op\n"
    found = {"BenchmarkX/size-64": {"ns/op": 1}, "BenchmarkX/size-128": {"ns/op": 2, "B/op": 3}}
    assert gobench.parse(sizes.format("-8")) == gobench.parse(sizes.format("")) == found
