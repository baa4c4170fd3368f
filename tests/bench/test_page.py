"""Results as text, JSON and HTML."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from objinst.bench import page, show
from objinst.bench.model import Machine, Missing, Quantity, Results
from objinst.cli import bench

MACHINE = Machine("A <fast> CPU", 2, 8 << 30, "Linux & more", "go1.26.1", "0.1.0", 0.1)
TIME = Quantity("build", "all caches empty", "time", "s")
COMPILED = Quantity("build", "all caches empty", "packages compiled", "packages")
DETAIL = Quantity("build", "all caches empty", "memory of link", "B", detail=True)


@pytest.fixture
def results() -> Results:
    found = Results("example.com/<shop>", MACHINE, 5, {"plain": "plain", "otelobj": "otelobj"}, [Missing("otelc", "not on PATH", "go install x@latest")], ["a <note>"])
    for number in range(5):
        found.add("plain", TIME, 1 + number / 10)
        found.add("otelobj", TIME, 2 + number / 10)
        found.add("plain", COMPILED, 0)
        found.add("otelobj", COMPILED, 3)
        found.add("plain", DETAIL, 1e6)
    found.add("plain", Quantity("size", "program", "as built", "B"), 1_500_000)
    found.add("otelobj", Quantity("size", "program", "as built", "B"), 1_500_000)
    return found


class Seen(HTMLParser):
    """Tags that are open, and every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "rect", "circle", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "circle", "line"):
            assert self.open.pop() == tag


def test_the_page_needs_no_network(results: Results) -> None:
    text = page.page(results)
    seen = Seen()
    seen.feed(text)
    assert not seen.open
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert not {name for name, _ in seen.attributes} & {"src", "href", "srcset", "data", "action"}
    assert not seen.tags & {"script", "link", "img", "iframe", "object"}
    assert "svg" in seen.tags


def test_the_page_follows_the_reader(results: Results) -> None:
    text = page.page(results)
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text and "max-width: 40rem" in text


def test_names_are_text_on_the_page(results: Results) -> None:
    text = page.page(results)
    assert "example.com/&lt;shop&gt;" in text and "A &lt;fast&gt; CPU" in text and "a &lt;note&gt;" in text
    assert "<shop>" not in text and "<fast>" not in text
    assert "go install x@latest" in text and "memory of link" in text


def test_a_bar_is_as_long_as_its_number(results: Results) -> None:
    widths = re.findall(r'class="bar c\d" x="0" y="18%" width="([\d.]+)%"', page.page(results))
    assert float(widths[0]) == pytest.approx(100 * 1.2 / 2.4) and float(widths[1]) == pytest.approx(100 * 2.2 / 2.4, abs=0.01)


def test_json_has_every_sample(results: Results) -> None:
    raw = json.loads(results.to_json())
    time = next(one for one in raw["measures"] if one["name"] == "time")
    assert time["samples"]["otelobj"] == [2.0, 2.1, 2.2, 2.3, 2.4]
    assert time["summary"]["plain"] == pytest.approx({"median": 1.2, "q1": 1.1, "q3": 1.3})
    assert time["summary"]["otelobj"] == pytest.approx({"median": 2.2, "q1": 2.1, "q3": 2.3, "ratio": 2.2 / 1.2, "p": 2 / 252})
    assert raw["machine"]["cores"] == 2 and raw["missing"] == [{"variant": "otelc", "why": "not on PATH", "remedy": "go install x@latest", "part": ""}]
    compiled = next(one for one in raw["measures"] if one["name"] == "packages compiled")
    assert "ratio" not in compiled["summary"]["otelobj"] and "p" not in compiled["summary"]["otelobj"]


def test_the_table(results: Results) -> None:
    screen = Console(width=200, file=io.StringIO(), force_terminal=False)
    bench.print_results(screen, results)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"time +│ +1\.20 s  1\.10–1\.30 s │ +2\.20 s  2\.10–2\.30 s │ +×1\.83 │", shown)
    assert re.search(r"packages compiled +│ +0 │ +3 │ +\+3 │", shown)
    assert re.search(r"as built +│ +1\.50 MB │ +1\.50 MB │ +same │", shown)
    assert "memory of link" not in shown
    assert "otelc was not measured: not on PATH; `go install x@latest` brings it" in shown


def test_differences_of_chance_are_marked() -> None:
    assert show.change({"plain": [1.0, 3, 2, 4], "otelobj": [2.0, 1, 3.5, 4]}, "otelobj") == "×1.10 ≈"
    assert show.change({"plain": [1.0], "otelobj": [2.0]}, "otelobj") == "×2.00"
    assert show.change({"plain": [1.0]}, "otelobj") == show.change({"otelobj": [1.0]}, "otelobj") == show.change({"plain": [1.0]}, "plain") == ""


def test_a_program_by_hand_is_compared_with(results: Results) -> None:
    results.variants = {"plain": "plain", "by hand": "by hand", "otelobj": "otelobj"}
    for _ in range(5):
        results.add("by hand", TIME, 4.4)
    time = next(one for one in json.loads(results.to_json())["measures"] if one["name"] == "time")
    assert time["summary"]["otelobj"]["to_by_hand"] == pytest.approx({"ratio": 0.5, "p": 2 / 252}) and "to_by_hand" not in time["summary"]["plain"]
    assert "×0.50 to by hand" in page.page(results)
    screen = Console(width=200, file=io.StringIO(), force_terminal=False)
    bench.print_results(screen, results)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "otelobj / by hand" in shown and re.search(r"×1\.83 │ +×0\.50 │", shown)


def test_a_part_that_is_missing_is_named(results: Results) -> None:
    results.leave_out("otelobj", "load", f"it ended:\n{'x' * 200}\n\x1b[1mthe cause")
    assert "<b>otelobj: load</b> (in full), it ended:" in page.page(results) and "otelobj" in results.variants
    screen = Console(width=400, file=io.StringIO(), force_terminal=False)
    bench.print_results(screen, results)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert f"otelobj: load was not measured in full: it ended:\n{'x' * 200}\n\ufffd[1mthe cause\n" in shown


def test_numbers_below_zero_have_no_bar(results: Results) -> None:
    results.add("plain", Quantity("benchmark", "x", "gain", "J"), -3.0)
    assert 'width="-' not in page.page(results) and "-3 J" in page.page(results)


def test_too_few_runs_are_told(results: Results) -> None:
    results.runs = 3
    assert "3 runs cannot tell a difference from chance: --runs 4 or more can." in show.remarks(results)
    results.runs = 1
    assert show.remarks(results)[0].startswith("Medians of 1 run,")


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (0, "s", "0 µs"), (0.0123, "s", "12.3 ms"), (75, "s", "75 s"), (12, "ns", "12 ns"), (1500, "ns", "1.50 µs"), (18_300_000, "B", "18.3 MB"), (0, "B", "0 B"),
        (151, "packages", "151"), (2.5, "swaps/op", "2.50 swaps/op"), (748868.5, "1/s", "748,868/s"),
    ],
)  # fmt: skip
def test_values(number: float, unit: str, text: str) -> None:
    assert show.value(number, unit) == text


def test_a_variant_that_is_dropped_leaves_nothing(results: Results) -> None:
    results.drop("otelobj", "it failed", "")
    assert "otelobj" not in results.variants and not any("otelobj" in samples for samples in results.samples.values())
    assert results.missing[-1] == Missing("otelobj", "it failed", "")
    assert "<b>otelobj</b>, it failed</li>" in page.page(results)
