"""The results as one HTML file that needs nothing else: no network, no script. It follows the reader's light or dark scheme, and fits a telephone.

A bar is the median, a dot a sample, and the line through the bar's end goes from quartile to quartile. Coordinates are percentages of the drawing's width, so
drawings stretch and their lines stay thin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from objinst.bench import show, stats
from objinst.bench.model import BY_HAND, Quantity, Results

COLOURS = 5
"""Of variants; the style has as many."""
STYLE = """
:root { color-scheme: light dark; --back: #fff; --card: #f6f7f9; --text: #1c2330; --dim: #5b6472; --line: #d5d9e0;
  --v0: #7a8494; --v1: #2f7de1; --v2: #12906f; --v3: #9a55d4; --v4: #b9640f; }
@media (prefers-color-scheme: dark) { :root { --back: #12161d; --card: #1b212b; --text: #e4e8ef; --dim: #98a2b3; --line: #333c4a;
  --v0: #7d8899; --v1: #5a9cf0; --v2: #2bb38c; --v3: #b884e8; --v4: #e39345; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 58rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .4rem; } h3 { font-size: 1rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
p, ul { margin: .4rem 0; color: var(--dim); } ul { padding-left: 1.2rem; } code { overflow-wrap: anywhere; }
section.scene { background: var(--card); border-radius: .5rem; padding: .8rem 1rem; margin: .7rem 0; }
figure { margin: .6rem 0 .9rem; } figcaption { font-weight: 600; font-size: .9rem; } li, figcaption { overflow-wrap: anywhere; }
.row { display: grid; grid-template-columns: 6.5rem 1fr 15rem; gap: 0 .7rem; align-items: center; font-size: .9rem; }
.row svg { width: 100%; height: 1.3rem; display: block; overflow: visible; }
.number { font-variant-numeric: tabular-nums; } .spread, .p { color: var(--dim); font-size: .85em; }
.dot { fill: var(--text); stroke: var(--card); stroke-width: 1; } .quartiles { stroke: var(--text); stroke-width: 1.5; } .axis { stroke: var(--line); }
.table { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; } summary { cursor: pointer; margin-top: 2rem; }
@media (max-width: 40rem) { .row { grid-template-columns: 6.5rem 1fr; } .row svg { grid-column: 1 / -1; grid-row: 2; } .row { margin-bottom: .35rem; } }
"""


def page(results: Results) -> str:
    """The whole file."""
    title = f"What instrumentation costs {results.program}"
    return "\n".join(
        [
            "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">', '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>", f"<style>{STYLE}{_colours()}</style>", "</head>", "<body>",
            f"<h1>{escape(title)}</h1>", f"<p>{escape(' · '.join(show.machine(results.machine)))}</p>",
            *_list(show.remarks(results)), *_missing(results), *_sections(results), *_all_numbers(results), "</body>", "</html>", "",
        ]
    )  # fmt: skip


def _colours() -> str:
    return "".join(f".c{number} {{ fill: var(--v{number}); }} " for number in range(COLOURS))


def _list(lines: Sequence[str]) -> list[str]:
    return ["<ul>", *(f"<li>{escape(line)}</li>" for line in lines), "</ul>"]


def _missing(results: Results) -> Iterator[str]:
    if results.missing:
        yield "<h2>Not measured</h2><ul>"
        for one in results.missing:
            remedy = f": <code>{escape(one.remedy)}</code>" if one.remedy else ""
            yield f"<li><b>{escape(one.what)}</b>{' (in full)' if one.part else ''}, {escape(one.why)}{remedy}</li>"
        yield "</ul>"


def _sections(results: Results) -> Iterator[str]:
    sections = results.sections()
    for name, title in show.SECTIONS.items():
        if name in sections:
            yield f"<h2>{escape(title)}</h2>"
            for scene, members in show.shown(sections[name]).items():
                yield f'<section class="scene"><h3>{escape(scene)}</h3>'
                for quantity, samples in members:
                    yield from _figure(results, quantity, samples)
                yield "</section>"


def _figure(results: Results, quantity: Quantity, samples: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """A row a variant, all on one scale that begins at 0."""
    top = max((number for found in samples.values() for number in found), default=0)
    top = top if top > 0 else 1
    yield f"<figure><figcaption>{escape(quantity.name)}</figcaption>"
    for number, (variant, title) in enumerate(results.variants.items()):
        found = samples.get(variant)
        if found:
            yield f'<div class="row"><span>{escape(title)}</span>{_bar(found, top, number % COLOURS, f"{title}: {quantity.name}")}{_numbers(quantity, samples, variant)}</div>'
    yield "</figure>"


def _bar(found: Sequence[float], top: float, colour: int, label: str) -> str:
    """The drawing of one row."""
    spread = stats.spread(found)
    median, q1, q3 = (_share(number, top) for number in (spread.median, spread.q1, spread.q3))
    dots = "".join(f'<circle class="dot" cx="{_share(number, top)}" cy="50%" r="2.5"/>' for number in found) if len(found) > 1 else ""
    quartiles = f'<line class="quartiles" x1="{q1}" x2="{q3}" y1="50%" y2="50%"/>' if spread.q1 != spread.q3 else ""
    axis = '<line class="axis" x1="0" x2="100%" y1="100%" y2="100%"/>'
    return f'<svg role="img" aria-label="{escape(label)}">{axis}<rect class="bar c{colour}" x="0" y="18%" width="{median}" height="64%" rx="2"/>{quartiles}{dots}</svg>'


def _share(number: float, top: float) -> str:
    """Of the drawing's width; what a benchmark reports may be below 0, and is at the edge then."""
    return f"{100 * max(number, 0) / top:.2f}%"


def _numbers(quantity: Quantity, samples: Mapping[str, Sequence[float]], variant: str) -> str:
    found = samples[variant]
    parts = [f"<b>{escape(show.value(stats.spread(found).median, quantity.unit))}</b>"]
    parts += [f'<span class="spread">{escape(text)}</span>'] if (text := show.spread(found, quantity.unit)) else []
    parts += [escape(text)] if (text := show.change(samples, variant)) else []
    parts += [f'<span class="p">{escape(text)}</span>'] if (text := show.certainty(samples, variant)) else []
    if variant in show.compared_by_hand(samples) and (text := show.change(samples, variant, BY_HAND)):
        parts.append(f'<span class="p">{escape(text)} to by hand</span>')
    return f'<span class="number">{" ".join(parts)}</span>'


def _all_numbers(results: Results) -> Iterator[str]:
    """A table of everything, details included, with each sample."""
    yield '<details><summary>All samples</summary><div class="table"><table>'
    yield "<tr><th>what</th><th>variant</th><th>median</th><th>quartiles</th><th>to plain</th><th>to by hand</th><th>samples</th></tr>"
    for quantity, samples in results.samples.items():
        for variant in (variant for variant in results.variants if samples.get(variant)):
            found = samples[variant]
            cells = [
                f"{quantity.scene}: {quantity.name}", results.variants[variant], show.value(stats.spread(found).median, quantity.unit), show.spread(found, quantity.unit),
                " ".join(filter(None, (show.change(samples, variant), show.certainty(samples, variant)))),
                show.change(samples, variant, BY_HAND) if variant in show.compared_by_hand(samples) else "", ", ".join(show.value(one, quantity.unit) for one in found),
            ]  # fmt: skip
            yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
    yield "</table></div></details>"
