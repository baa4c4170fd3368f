"""What the plan says of a program's libraries: instrumented, off, lacking something, or known to nobody."""

from __future__ import annotations

import io

import pytest

from objinst import hooktree
from objinst.actions import ACTIONS
from objinst.cli.plan import print_libraries
from objinst.cli.terminal import console
from objinst.plan.inventory import Library, inventory
from objinst.plan.model import Status, Target
from objinst.plan.popular import POPULAR
from objinst.rules import Rule, RuleSet, load

RULES = load((), {}, ACTIONS).rules
NETHTTP = [rule for rule in RULES if rule.instrumentation == "nethttp"]
KAFKA = "github.com/segmentio/kafka-go"


def listed(*packages: str, in_force: tuple[Rule, ...] = RULES, targets: tuple[Target, ...] = (), lacking: tuple[str, ...] = ()) -> list[Library]:
    modules = {KAFKA: "v0.4.51", "example.com/other": "v1.0.0"}
    return inventory(packages, modules, lambda _: None, RULES, in_force, targets, lacking)


def hooked(rule: Rule, symbol: str) -> Target:
    return Target(rule.name, symbol, rule.target, "", 0, Status.HOOKED, "", True, True, 0)


def test_a_library_whose_functions_are_hooked() -> None:
    (found,) = listed("fmt", "net/http", targets=(hooked(NETHTTP[0], "a"), hooked(NETHTTP[0], "a"), hooked(NETHTTP[1], "b")))
    assert found == Library("nethttp", hooktree.libraries()["nethttp"].title, "", 2)


def test_rules_are_known_by_their_names() -> None:
    """Those in force know the program that they are for."""
    (found,) = inventory(["net/http"], {}, lambda _: None, RULES, RuleSet(RULES).of_program("example.com/app").rules, [hooked(NETHTTP[0], "a")], ())
    assert (found.hooked, found.why) == (1, "")


def test_one_that_is_off() -> None:
    (found,) = listed("net/http", in_force=())
    assert found.hooked == 0 and found.why.startswith("off: OTELOBJ_DISABLE")


def test_one_that_lacks_something() -> None:
    title = hooktree.libraries()["nethttp"].title
    (found,) = listed("net/http", lacking=("Other is not instrumented", f"{title} go1.99 is not instrumented in full: no roundTrip"))
    assert found.why == "go1.99 is not instrumented in full: no roundTrip"
    assert [item.why for item in listed("net/http")] == ["nothing of it is hooked"]


def test_a_well_known_module_that_nothing_instruments() -> None:
    """Only if a package of it is linked: a module may be in go.mod for its tests alone."""
    assert listed(f"{KAFKA}/sasl") == [Library("", KAFKA, "v0.4.51", 0, "Kafka")]
    assert listed("example.com/other", "github.com/segmentio/kafka") == []


@pytest.mark.parametrize("library", hooktree.libraries().values(), ids=list(hooktree.libraries()))
def test_what_has_a_folder_is_not_unknown(library: hooktree.Library) -> None:
    targets = {rule.target for rule in RULES if rule.instrumentation == library.name}
    modules = {path: "v1.0.0" for path in POPULAR}
    found = inventory([*targets, *POPULAR], modules, lambda _: None, RULES, RULES, (), ())
    assert not [item for item in found if not item.name and any(target == item.title or target.startswith(f"{item.title}/") for target in targets)]


def test_what_is_printed() -> None:
    out = io.StringIO()
    print_libraries(console(out), [Library("nethttp", "net/http", "", 4), Library("gin", "gin", "v1.3.0", 0, "off: so"), Library("", KAFKA, "v0.4.51", 0, "Kafka")])
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[:4] == [
        "libraries", "├── nethttp  net/http  4 functions hooked", "└── gin  gin v1.3.0  not hooked", "    └── off: so",
    ]  # fmt: skip
    assert " ".join(lines[4:]) == f"no instrumentation for {KAFKA} v0.4.51 (Kafka); rules of your own reach them: docs/rules.md"
