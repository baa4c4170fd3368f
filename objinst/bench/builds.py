"""What builds take, in five scenes.

| scene | caches of the go command and of otelobj | what is built |
|---|---|---|
| cold | empty | the program |
| plain first | the go command's as a plain build leaves it, otelobj's empty | the program |
| unchanged | filled | the program, whose output is gone |
| edited | filled | the program, one file of it edited |
| rules | filled | the program with one more rule, by otelobj alone |

Modules are downloaded before anything is measured. Packages compiled are counted in the caches: an archive that was not there before is one package that the
compiler has compiled, whichever process asked for it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from objinst.bench.measure import Step, rounds, unmeasured
from objinst.bench.model import PLAIN, Quantity, Results
from objinst.bench.variants import OTELOBJ, Variant, toolexec
from objinst.bench.watch import Run
from objinst.errors import OtelobjError

SCENES = {
    "unchanged": "nothing changed, output removed",
    "edited": "one file edited",
    "rules": "a rule added",
    "cold": "all caches empty",
    "plain-first": "after a plain build",
}
"""In the order in which they are measured: cold ones last, since they empty the caches that the others need."""
RULE = """otelobj_bench_{number}:
  target: main
  where: {{ func: "*" }}
  optional: true
  do: [{{ span: {{ name: "bench {number}" }} }}]
"""


@dataclass(slots=True)
class Builds:
    """folder: for what is shared, beside the homes of the variants."""

    results: Results
    variants: Sequence[Variant]
    runs: int
    folder: Path
    rule: int = field(default=0, init=False)

    def steps(self, scenes: Sequence[str]) -> Iterator[Step]:
        """Those of some scenes, after preparation: each begins with one that is not measured, unless its caches are empty."""
        makers: dict[str, tuple[Sequence[Variant], Callable[[Variant], None], bool]] = {
            "unchanged": (self.variants, self._unchanged, True),
            "edited": ([variant for variant in self.variants if "-overlay" not in variant.program.flags], self._edited, True),
            "rules": ([variant for variant in self.variants if variant.name == OTELOBJ], self._rules, True),
            "cold": (self.variants, self._cold, False),
            "plain-first": (self.variants, self._plain_first, False),
        }
        for scene in (scene for scene in SCENES if scene in scenes):
            variants, work, warms = makers[scene]
            if warms:
                yield from rounds(variants, 1, f"{SCENES[scene]} (warm-up)", lambda variant, work=work: unmeasured(self.results, work, variant), SCENES[scene])  # type: ignore[misc]
            yield from rounds(variants, self.runs, SCENES[scene], work)

    def prepare(self, scenes: Sequence[str]) -> Iterator[Step]:
        """Fills all caches."""
        yield from rounds(self.variants, 1, "download and first build", lambda variant: self._prepare(variant, keep="plain-first" in scenes), part="")

    @property
    def _plain_cache(self) -> Path:
        """The go command's cache as a plain build has left it."""
        return self.folder / "plain-gocache"

    def _prepare(self, variant: Variant, *, keep: bool) -> None:
        variant.prepare()
        if keep and variant.name == PLAIN:
            shutil.copytree(variant.go_cache, self._plain_cache)

    def _cold(self, variant: Variant) -> None:
        variant.empty()
        self._measured("cold", variant)

    def _plain_first(self, variant: Variant) -> None:
        variant.empty()
        shutil.copytree(self._plain_cache, variant.go_cache)
        self._measured("plain-first", variant)

    def _unchanged(self, variant: Variant) -> None:
        self._measured("unchanged", variant)

    def _edited(self, variant: Variant) -> None:
        variant.edits.next()
        self._measured("edited", variant, env=variant.edits.environment())

    def _rules(self, variant: Variant) -> None:
        self.rule += 1
        rules = self.folder / "rules.yaml"
        rules.write_text(RULE.format(number=self.rule), "utf-8")
        self._measured("rules", variant, toolexec("--rules", str(rules)), out=variant.home / "ruled")

    def _measured(self, scene: str, variant: Variant, *flags: str, env: Mapping[str, str] | None = None, out: Path | None = None) -> None:
        """Builds, and notes what that took. out: of a program that no other measurement is to run."""
        before = variant.archives()
        done = variant.build(*flags, env=env, out=out)
        if not (out or variant.out).is_file():
            raise OtelobjError(f"{variant.name}: go build wrote no program", "is the package a main one for this system? see `go env GOOS GOARCH`")
        note(self.results, variant, SCENES[scene], done, len(variant.archives() - before))


def note(results: Results, variant: Variant, scene: str, done: Run, compiled: int) -> None:
    """Adds the samples of one build."""

    def add(name: str, unit: str, value: float, *, detail: bool = False) -> None:
        results.add(variant.name, Quantity("build", scene, name, unit, detail=detail), value)

    add("time", "s", done.seconds)
    add("CPU time", "s", done.cpu)
    add("packages compiled", "packages", compiled)
    if done.memory:
        add("memory of all processes", "B", done.memory)
        add("memory of the largest process", "B", done.largest)
        for tool, most in sorted(done.tools.items()):
            add(f"memory of {tool}", "B", most, detail=True)


def sizes(results: Results, variants: Sequence[Variant]) -> Iterator[Step]:
    """Bytes of the programs, as built and without symbols and debugging information."""

    def size(variant: Variant) -> None:
        variant.build()
        results.add(variant.name, Quantity("size", "program", "as built", "B"), variant.out.stat().st_size)
        stripped = variant.home / "stripped"
        variant.build("-ldflags=-s -w", out=stripped)
        results.add(variant.name, Quantity("size", "program", "stripped (-s -w)", "B"), stripped.stat().st_size)

    return rounds(variants, 1, "size", size)
