"""`enrich` in rule files: what is read, and that every mistake names file, line, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from objinst.actions.enrich import Enrich
from objinst.errors import UsageError
from objinst.rules import ValuePath
from rule_files import read_file

HEAD = "orders:\n  target: example.com/acme/shop\n  do:\n"


@pytest.fixture
def enrich_of(tmp_path: Path) -> Callable[[str], Enrich]:
    def read(text: str) -> Enrich:
        path = tmp_path / "acme.yaml"
        path.write_text(f"{HEAD}    - enrich: {text}\n")
        ((action,),) = (rule.do for rule in read_file(path))
        assert isinstance(action, Enrich)
        return action

    return read


def test_it_is_read_whole(enrich_of: Callable[[str], Enrich]) -> None:
    found = enrich_of('{ attributes: { tenant.id: recv.tenant.ID, n: len(result.0) }, route: "/api{arg.pattern}" }')
    pattern, tenant, size = ValuePath("arg", "pattern"), ValuePath("recv", "", ("tenant", "ID")), ValuePath("result", "0", length=True)
    assert found == Enrich((("tenant.id", tenant), ("n", size)), ("/api", pattern))
    assert found.paths == (pattern, tenant, size) and found.needs_exit and not found.spans


@pytest.mark.parametrize(("text", "needs_exit"), [("{ route: /fixed }", False), ('{ route: "{result.0}" }', True), ("{ attributes: { a: arg.0 } }", False)])
def test_the_exit_is_needed_for_results_only(enrich_of: Callable[[str], Enrich], text: str, *, needs_exit: bool) -> None:
    assert enrich_of(text).needs_exit == needs_exit


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "acme.yaml:4: rule orders: enrich adds nothing"),
        ("{ name: x }", "acme.yaml:4: unknown key 'name' in enrich"),
        ('{ route: "" }', "acme.yaml:4: route must be text"),
        ('{ route: "{arg.a}{result.0}" }', "acme.yaml:4: rule orders: the route has values that are read when the function begins, and results"),
        ('{ route: "{arg" }', "stands alone"),
        ("{ attributes: { x: args.a } }", "path 'args.a' begins with 'args'"),
        ("{ attributes: [] }", "attributes to be a mapping of names to paths"),
    ],
)
def test_mistakes(enrich_of: Callable[[str], Enrich], text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        enrich_of(text)
    assert says in str(caught.value)
