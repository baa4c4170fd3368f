"""Spans by pattern: which functions are left out because they last as long as the program, and whose closures are whose.

The program below says of each of its functions what it is; both architectures, the oldest and the newest Go with each way of naming closures.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from toolchains import newest, oldest, telemetry
from types_build import Build

import trampolines
from objinst.goobj import pctab
from objinst.plan.declared import Declared
from objinst.plan.lasting import Lasting
from objinst.plan.select import candidates
from objinst.rules import Rule, RuleSet
from rule_files import read_file

MAIN = """\
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"

	"example.com/app/serve"
	"example.com/lib"
)

type queue struct{ in, out chan int }

func main() {
	go consume(nil)
	go forever()
	run()
	fmt.Println(own(make(chan int, 1)), served(), listen(nil), accept(nil), once(nil), throughPackage(), closures())
	(&queue{}).pump()
	fmt.Println((&queue{}).get())
}

//go:noinline
func run() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-ctx.Done()
}

//go:noinline
func consume(ch chan int) {
	for n := range ch {
		fmt.Println(n)
	}
}

//go:noinline
func forever() {
	for {
		fmt.Print()
	}
}

//go:noinline
func (q *queue) pump() error {
	for {
		select {
		case n, ok := <-q.in:
			if !ok {
				return nil
			}
			fmt.Println(n)
		case q.out <- 1:
		}
	}
}

// get takes in a loop, too, but for its caller.
//
//go:noinline
func (q *queue) get() int {
	for n := range q.in {
		if n > 0 {
			return n
		}
	}
	return 0
}

//go:noinline
func own(ch chan int) bool { return cap(ch) > 0 }

//go:noinline
func served() error { return http.ListenAndServe("", nil) }

//go:noinline
func listen(l net.Listener) error { return (&http.Server{}).Serve(l) }

//go:noinline
func accept(l *net.TCPListener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go conn.Close()
	}
}

// once takes one connection.
//
//go:noinline
func once(l net.Listener) error {
	conn, err := l.Accept()
	if err == nil {
		go conn.Close()
	}
	return err
}

//go:noinline
func throughPackage() error { return serve.Serve("") }

//go:noinline
func closures() []func() int {
	f := lib.With(3)
	add := func() int { return lib.Apply(lib.With(5)) + lib.With(6)() }
	all := []func() int{f, (&lib.T{}).Count(1), lib.T{}.Copy(2), lib.Keep(4), lib.Outer(8), helper(9), add, global}
	lib.Each(func(n int) bool { all = append(all, lib.With(n)); return true })
	lib.Seq(3)(func(n int) bool { all = append(all, helper(n)); return true })
	return all
}

func helper(n int) func() int { return func() int { lib.Apply(func() int { return n }); return n } }

var global = lib.With(7)
"""
SERVE = """\
package serve

import "net/http"

//go:noinline
func Serve(at string) error { return http.ListenAndServe(at, nil) }
"""
LIB = """\
package lib

type T struct{ n int }

//go:noinline
func Apply(f func() int) int { return f() }

func With(n int) func() int { return func() int { return Apply(func() int { return n }) } }

func (t *T) Count(n int) func() int { return func() int { t.n++; return Apply(func() int { return n }) } }

func (t T) Copy(n int) func() int { return func() int { return Apply(func() int { return t.n + n }) } }

func Keep[E any](x E) func() E { return func() E { Apply(func() int { return 0 }); return x } }

func Outer(n int) func() int { return With(n + 1) }

//go:noinline
func Each(f func(int) bool) { f(1) }

func Seq(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && Apply(func() int { return i }) >= 0; i++ {
			if !yield(i) {
				return
			}
		}
	}
}
"""
PATTERN = "spans:\n  target: {target}\n  where: {where}\n  do: [{{ span: {{}} }}]\n"
CASES = [(oldest(), "amd64"), (telemetry(), "arm64"), ("1.26", "amd64"), (newest(), "amd64")]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def build(request, tmp_path_factory):
    version, goarch = request.param
    folder = tmp_path_factory.mktemp("lasting")
    files = {
        "app/go.mod": "module example.com/app\n\ngo 1.22\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../lib\n",
        "app/main.go": MAIN, "app/serve/serve.go": SERVE, "lib/go.mod": "module example.com/lib\n\ngo 1.22\n", "lib/lib.go": LIB,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Build(version, goarch, folder / "app", ".")


def rule(tmp_path: Path, where: str, target: str = "example.com/app/**") -> Rule:
    (tmp_path / "r.yaml").write_text(PATTERN.format(where=where, target=target))
    rules = RuleSet(tuple(read_file(tmp_path / "r.yaml"))).of_program("example.com/app")
    return rules.rules[0]


def left_out(build: Build, given: Rule) -> dict[str, str]:
    """Function of the program -> why the rule makes no span of it."""
    obj = build.object("example.com/app")
    lasting = Lasting(trampolines.load(build.goarch), build.load, given.matches_package)
    source = Declared(obj, build.load)
    named = [(index, source.name(index)) for index, _ in candidates(obj, "main", RuleSet((given,)), lambda _: None, load=build.load)]
    refusals = {obj.name(index): lasting.refusal(given, name, obj, index, "main") for index, name in named if name is not None}
    return {symbol: refusal.code for symbol, refusal in refusals.items() if refusal is not None}


def test_what_lasts_is_left_out_of_a_pattern(build: Build, tmp_path: Path) -> None:
    wanted = {
        "main.main": "main", "main.run": "signals", "main.consume": "work-loop", "main.(*queue).pump": "work-loop", "main.served": "serves",
        "main.listen": "serves", "main.accept": "serves", "main.throughPackage": "serves",
    }  # fmt: skip
    assert left_out(build, rule(tmp_path, '{ func: "*" }')) == wanted
    assert left_out(build, rule(tmp_path, '{ one-of: [{ func: "*e*" }, { func: consume }], not: { func: own } }')) == {
        name: why for name, why in wanted.items() if name in ("main.served", "main.listen", "main.accept", "main.throughPackage")
    }


@pytest.mark.parametrize("name", ["main", "run", "consume", "pump", "served", "accept"])
def test_what_a_rule_names_exactly_it_gets(build: Build, tmp_path: Path, name: str) -> None:
    assert left_out(build, rule(tmp_path, f"{{ func: {name} }}")) == {}
    assert left_out(build, rule(tmp_path, f'{{ one-of: [{{ func: {name} }}, {{ func: "own*" }}] }}')) == {}


def test_closures_belong_to_the_package_of_their_source(build: Build) -> None:
    """As their source files say, which lie in a folder for each package here."""
    obj = build.object("example.com/app")
    source = Declared(obj, build.load)
    of_lib, held = 0, {package for index in obj.text_symbols() for package in source.packages(index)}
    for index in obj.text_symbols():
        table, name = obj.aux_data(index, "AuxPcfile"), source.name(index)
        if not table or name is None or not name.is_closure:
            continue
        folder = obj.files[pctab.first(table)].rsplit("/", 2)[1]
        assert name.pkg == {"app": "main", "lib": "example.com/lib"}[folder], obj.name(index)
        of_lib += folder == "lib"
    assert of_lib >= 8
    assert "example.com/lib" in held and "net/http" not in held


def test_a_rule_finds_its_closures_wherever_they_lie(build: Build, tmp_path: Path) -> None:
    obj = build.object("example.com/app")

    def found(target: str) -> set[str]:
        rules = RuleSet((rule(tmp_path, '{ func: "*" }', target),))
        return {obj.name(index) for index, _ in candidates(obj, "main", rules, lambda _: None, load=build.load)}

    ours, theirs = found("example.com/app/**"), found("example.com/lib")
    assert not ours & theirs
    assert {"main.helper.func1", "main.closures", "main.main"} <= ours
    assert any("Keep" in name for name in theirs) and any("With" in name for name in theirs)
