"""Linker symbols taken apart, against names that the compiler has really written."""

from __future__ import annotations

import pytest

from objinst.rules import FuncName, parse_func_name


@pytest.mark.parametrize(
    ("symbol", "pkg", "recv", "name", "args"),
    [
        ("main.f", "main", "", "f", ""),
        ("net/http.Get", "net/http", "", "Get", ""),
        ("net/http.(*Transport).roundTrip", "net/http", "*Transport", "roundTrip", ""),
        ("net/http.serverHandler.ServeHTTP", "net/http", "serverHandler", "ServeHTTP", ""),
        ("gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3", "", "Unmarshal", ""),
        ("github.com/a/b.v2/c.(*T).M", "github.com/a/b.v2/c", "*T", "M", ""),
        ("main.f.func1", "main", "", "f.func1", ""),
        ("main.f.func1.2", "main", "", "f.func1.2", ""),
        ("net/http.(*Server).Serve.func2", "net/http", "*Server", "Serve.func2", ""),
        ("main.T.m.func1", "main", "T", "m.func1", ""),
        ("main.init.0", "main", "", "init.0", ""),
        ("main.init.0.func1", "main", "", "init.0.func1", ""),
        ("main.glob..func1", "main", "", "glob..func1", ""),
        ("net/http.containsDotDot-range1", "net/http", "", "containsDotDot-range1", ""),
        ("main.f.func1-range2", "main", "", "f.func1-range2", ""),
        ("go/types.RelativeTo.func1", "go/types", "", "RelativeTo.func1", ""),
        ("slices.Sort[go.shape.[]int,go.shape.int]", "slices", "", "Sort", "[go.shape.[]int,go.shape.int]"),
        ("slices.SortFunc[[]go/types.Object,go/types.Object]", "slices", "", "SortFunc", "[[]go/types.Object,go/types.Object]"),
        ("slices.SortFunc[go.shape.int].func1", "slices", "", "SortFunc.func1", "[go.shape.int]"),
        ("sync/atomic.(*Pointer[go/token.File]).Load", "sync/atomic", "*Pointer", "Load", "[go/token.File]"),
        ("unique.Handle[net/netip.addrDetail].Value", "unique", "Handle", "Value", "[net/netip.addrDetail]"),
        ("main.(*T[go.shape.struct { X func() (int, error) }]).m", "main", "*T", "m", "[go.shape.struct { X func() (int, error) }]"),
        ('main.F[go.shape.struct { X int "json:\\"a]\\"" }]', "main", "", "F", '[go.shape.struct { X int "json:\\"a]\\"" }]'),
        (
            "maps.Keys[go.shape.map[string]bool,go.shape.string,go.shape.bool].func1",
            "maps",
            "",
            "Keys.func1",
            "[go.shape.map[string]bool,go.shape.string,go.shape.bool]",
        ),
    ],
)
def test_symbols(symbol, pkg, recv, name, args):
    assert parse_func_name(symbol) == FuncName(pkg, recv, name, args)


@pytest.mark.parametrize(
    "symbol",
    [
        "type:.eq.net/http.connectMethodKey", "type:main.T", "go:interface { F() error }.F", "go.shape.interface { F(net/http.R) }.F",
        "net/http.(*response).declareTrailer-fm", "go/types.Sizes.Offsetsof-fm", "net/http.(*Server).Serve.deferwrap1", "main.f.func1.gowrap2",
        "_cgoexp_0123_f", "nodot", "", ".f", "main.", "main.(*T)", "main.(", "main.[",
    ],
)  # fmt: skip
def test_what_nobody_wrote_has_no_name(symbol):
    assert parse_func_name(symbol) is None


def test_closures_are_told_from_functions():
    assert [name.is_closure for symbol in ("main.f", "main.T.m", "main.f.func1", "main.f-range1") if (name := parse_func_name(symbol))] == [
        False,
        False,
        True,
        True,
    ]
