"""Rule files: what they mean, and that every mistake names its place and the nearest right name."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import scriptrunner
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from objinst import hooktree
from objinst.errors import UsageError
from objinst.actions.inject_hooks import InjectHooks
from objinst.actions.probe import Probe, ProbeKind
from objinst.rules import Rule, Where, parse_func_name
from rule_files import load, read_file
from objinst.rules.model import version_key
from places import ROOT

RULE = """\
sql_query:
  target: database/sql
  version: v1.2.0,v2.0.0
  where: { func: queryDC, recv: "*DB" }
  do:
    - inject_hooks: { before: BeforeQuery, after: AfterQuery, path: example.com/acme/sqlhooks }
"""


@pytest.fixture
def write(tmp_path):
    def make(text: str, name: str = "acme.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def where(write, text: str) -> Where:
    (rule,) = read_file(write(f"r:\n  target: main\n  where: {text}\n  do: [{{inject_hooks: {{before: B, path: x/y}}}}]\n"))
    return rule.where


def holds(condition: Where, symbol: str) -> bool:
    name = parse_func_name(symbol)
    assert name is not None
    return condition.holds(name)


def test_a_rule_is_read_whole(write):
    path = write(RULE)
    (rule,) = read_file(path)
    hooks = InjectHooks("BeforeQuery", "AfterQuery", "example.com/acme/sqlhooks")
    assert rule == Rule("sql_query", "acme", "database/sql", Where("queryDC", "*DB"), (hooks,), f"{path}:1", ("v1.2.0", "v2.0.0"), optional=False)
    assert not rule.is_glob


def test_name_instrumentation_optional_and_map_form_of_do(write):
    (rule,) = read_file(write("a:\n  target: main\n  name: b\n  instrumentation: sql\n  optional: true\n  do: { inject_hooks: { after: A, path: p.q/r } }\n"))
    assert (rule.name, rule.instrumentation, rule.optional, rule.do) == ("b", "sql", True, (InjectHooks("", "A", "p.q/r"),))
    assert rule.is_glob


def test_built_in_rules_load_and_are_whole():
    rules = load([], {}).rules
    assert {rule.instrumentation for rule in rules} >= {"nethttp", "sdk"}
    assert all(rule.do and rule.target for rule in rules)


def test_every_known_worker_is_shown_to_be_hooked_in_its_own_module():
    rules = {file.path: read_file(file.path, instrumentation=file.instrumentation) for file in hooktree.rule_files()}
    known = {rule.name for path, found in rules.items() for rule in found if path.name == hooktree.WORKERS and "." in rule.target.split("/")[0]}
    others = {rule.name for path, found in rules.items() for rule in found if path.name != hooktree.WORKERS}
    checks = [line for path in scriptrunner.paths() for line in re.findall(r"^py all_hooked \S+ (.+)$", path.read_text(), re.M)]
    assert known == {rule for line in checks for rule in line.split()} - others


def test_empty_and_comment_only_files_hold_no_rules(write):
    assert read_file(write("")) == []
    assert read_file(write("# nothing yet\n")) == []


# merging


def test_a_rule_of_the_same_name_replaces_in_order(write):
    listed = write(RULE, "listed.yaml")
    other = write(RULE.replace("queryDC", "exec"), "other.yaml")
    rules = load([other], {"OTELOBJ_RULES": str(listed), "OTELOBJ_DISABLE": "all"}).rules
    assert [(rule.name, rule.where.func, rule.instrumentation) for rule in rules] == [("sql_query", "exec", "other")]
    built_in = load([], {}).rules[0]
    replaced = load([write(RULE.replace("sql_query", built_in.name), "mine.yaml")], {}).rules
    assert replaced[0].where.func == "queryDC"
    assert len(replaced) == len(load([], {}).rules)


def test_the_program_is_found_by_its_path_too(write):
    text = RULE.replace("target: database/sql", "target: example.com/acme/**")
    assert "example.com" in text
    rules = load([write(text)], {"OTELOBJ_DISABLE": "all"})
    for path, found in (("example.com/acme/server", True), ("example.com/other", False), ("", False)):
        (rule,) = rules.of_program(path).rules
        assert rule.matches_package("main") is found and rule.matches_package("example.com/acme/lib")
    assert rules.of_program("example.com/acme/server").digest() == rules.digest()


def test_several_files_in_the_variable(write):
    first, second = write(RULE, "a.yaml"), write(RULE.replace("sql_query", "two"), "b.yaml")
    rules = load([], {"OTELOBJ_RULES": f"{first}{os.pathsep}{os.pathsep}{second}", "OTELOBJ_DISABLE": "all"}).rules
    assert [rule.name for rule in rules] == ["sql_query", "two"]


def test_disabling(write):
    mine = write(RULE)
    without = {rule.instrumentation for rule in load([mine], {"OTELOBJ_DISABLE": "nethttp"}).rules}
    assert without == {rule.instrumentation for rule in load([mine], {}).rules} - {"nethttp"}
    assert without >= {"sdk", "acme"}
    assert {rule.instrumentation for rule in load([mine], {"OTELOBJ_DISABLE": " all "}).rules} == {"acme"}
    assert load([mine], {"OTELOBJ_DISABLE": "all,acme"}).rules == ()
    with pytest.raises(UsageError, match="OTELOBJ_DISABLE: no instrumentation is called 'netthtp'") as caught:
        load([mine], {"OTELOBJ_DISABLE": "netthtp"})
    assert "'nethttp'" in caught.value.remedy


def test_the_digest_is_of_meaning_not_of_place(write):
    def digest(text: str, name: str = "acme.yaml") -> str:
        return load([write(text, name)], {"OTELOBJ_DISABLE": "all"}).digest()

    plain = digest(RULE)
    assert digest("# moved\n\n" + RULE) == plain
    for change in (("queryDC", "exec"), ('"*DB"', "DB"), ("v2.0.0", "v2.0.1"), ("AfterQuery", "AfterAll"), ("sqlhooks", "sql"), ("database/sql", "main")):
        assert digest(RULE.replace(*change)) != plain, change
    assert digest(RULE + "  optional: true\n") != plain
    assert digest(RULE, "other.yaml") != plain


# packages and versions


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("net/http", ["net/http"], ["net/http/httptest", "x/net/http"]),
        ("net/*", ["net/http", "net/url"], ["net", "net/http/httptest"]),
        ("net/**", ["net", "net/http", "net/http/httptest"], ["network", "x/net"]),
        ("**", ["main", "net/http/httptest"], []),
        ("**/http", ["http", "net/http", "a/b/http"], ["net/xhttp"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb", "a/b/c"]),
        ("foo**", ["foo", "foobar"], ["foo/bar"]),
        ("v?", ["v1"], ["v", "v12"]),
        ("v[12]", ["v1", "v2"], ["v3"]),
        ("v[!1]", ["v2"], ["v1"]),
        ("net/{http,url}", ["net/http", "net/url"], ["net/rpc", "net/{http,url}x"]),
        ("a.b/c", ["a.b/c"], ["axb/c"]),
    ],
)
def test_targets(write, pattern, matching, others):
    (rule,) = read_file(write(RULE.replace("database/sql", f"'{pattern}'")))
    assert [name for name in (*matching, *others) if rule.matches_package(name)] == matching


def test_versions_are_start_inclusive_end_exclusive(write):
    (rule,) = read_file(write(RULE))
    tried = ["v1.1.9", "v1.2.0-rc.1", "v1.2.0", "v1.10.0", "v2.0.0-beta.2", "v2.0.0", None, "(devel)"]
    assert [version for version in tried if rule.matches_version(version)] == ["v1.2.0", "v1.10.0", "v2.0.0-beta.2", None, "(devel)"]
    (open_end,) = read_file(write(RULE.replace("v1.2.0,v2.0.0", "v1.2")))
    assert [version for version in ("v1.1.0", "v1.2.0", "v9.0.0") if open_end.matches_version(version)] == ["v1.2.0", "v9.0.0"]
    (open_start,) = read_file(write(RULE.replace("v1.2.0,v2.0.0", '",v1.3"')))
    assert [version for version in ("v0.1.0", "v1.3.0") if open_start.matches_version(version)] == ["v0.1.0"]


def test_versions_sort_as_semver_says():
    ordered = [
        "v0.0.0-20200101000000-abcdef",
        "v1.0.0-alpha",
        "v1.0.0-alpha.1",
        "v1.0.0-alpha.beta",
        "v1.0.0-beta.2",
        "v1.0.0-beta.11",
        "v1.0.0-rc.1",
        "v1.0.0",
        "v1.0.1+incompatible",
        "v1.10.0",
    ]
    assert sorted(reversed(ordered), key=version_key) == ordered


def test_match_gives_the_rules_of_a_package(write):
    rules = load([write(RULE)], {"OTELOBJ_DISABLE": "all"})
    assert [rule.name for rule in rules.match("database/sql", "v1.3.0")] == ["sql_query"]
    assert rules.match("database/sql", "v3.0.0") == []
    assert rules.match("net/http", None) == []


# functions


@pytest.mark.parametrize(
    ("condition", "matching", "others"),
    [
        ("{func: roundTrip}", ["p.(*T).roundTrip", "p.roundTrip", "p.T.roundTrip"], ["p.roundTripper", "p.roundTrip.func1"]),
        ('{func: m, recv: "*T"}', ["p.(*T).m", "p.(*T[go.shape.int]).m"], ["p.T.m", "p.m", "p.(*TT).m"]),
        ("{func: m, recv: T}", ["p.T.m", "p.T[int].m"], ["p.(*T).m", "p.m"]),
        ('{recv: "*"}', ["p.T.m", "p.(*T).m"], ["p.m"]),
        ('{recv: "**"}', ["p.(*T).m"], ["p.T.m", "p.m"]),
        ('{recv: "*http*"}', ["p.(*httpConn).m"], ["p.(*conn).m", "p.httpConn.m"]),
        ("{func: serve*}", ["p.serve", "p.(*T).serveHTTP"], ["p.serve.func1", "p.xserve"]),
        ("{func: serve*.func1}", ["p.serve.func1", "p.(*T).serveX.func1"], ["p.serve.func2", "p.serve"]),
        ('{func: "*"}', ["p.f", "p.f.func1", "p.init.0", "p.f-range1"], []),
        ("{func: '{Get,Post}'}", ["p.Get", "p.(*C).Post"], ["p.Head"]),
        ("{func: Sort}", ["slices.Sort[go.shape.[]int,go.shape.int]"], ["slices.SortFunc[int]"]),
        ("{all-of: [{func: G*}, {not: {func: Get}}]}", ["p.Grow"], ["p.Get", "p.x"]),
        ("{one-of: [{func: A}, {func: B, recv: T}]}", ["p.A", "p.T.B"], ["p.B", "p.C"]),
        ('{func: m, not: {recv: "*"}}', ["p.m"], ["p.T.m"]),
        ("{not: {one-of: [{func: A}, {func: B}]}}", ["p.C"], ["p.A", "p.B"]),
    ],
)
def test_conditions(write, condition, matching, others):
    parsed = where(write, condition)
    assert [symbol for symbol in (*matching, *others) if holds(parsed, symbol)] == matching


def test_a_literal_rule_is_told_from_a_glob(write):
    assert [where(write, text).is_literal for text in ("{func: f}", '{func: f, recv: "*DB"}', "{func: f, recv: DB}")] == [True] * 3
    globs = ('{func: "f*"}', '{func: f, recv: "*"}', '{func: f, recv: "**"}', '{recv: "*DB"}', "{func: f, not: {func: g}}", '{func: f, recv: "*D*"}')
    assert [where(write, text).is_literal for text in globs] == [False] * len(globs)


# probes


def test_a_probe_brings_what_writes_its_file(write, monkeypatch):
    path = write(
        "r:\n  target: '**'\n  where: { func: '*' }\n  do: [{ probe: count }]\nhooks:\n  target: main\n  do: { inject_hooks: { before: B, path: x } }\n"
    )
    rules = {rule.name: rule for rule in load([path], {"OTELOBJ_DISABLE": "all"}).rules}
    assert rules["r"].do == (Probe(ProbeKind.COUNT),) and rules["r"].probes and rules["r"].is_glob
    assert not rules["hooks"].probes
    assert {"probe_main_returns", "probe_exit"} <= set(rules)
    without = load([write("r:\n  target: main\n  do: { inject_hooks: { before: B, path: x } }\n")], {})
    assert not any(rule.instrumentation == "probe" for rule in without.rules)


def test_disabling_all_leaves_a_file_of_that_name(tmp_path):
    path = tmp_path / "all.yaml"
    path.write_text("r:\n  target: main\n  do: { inject_hooks: { before: B, path: x } }\n")
    assert [rule.name for rule in load([path], {"OTELOBJ_DISABLE": "all"}).rules] == ["r"]


# mistakes

HEAD = "rule:\n  target: net/http\n"
DO = "  do:\n    - inject_hooks: { before: B, path: example.com/h }\n"


@pytest.mark.parametrize(
    ("text", "line", "what", "remedy"),
    [
        (HEAD + "  wehre: { func: f }\n" + DO, 3, "unknown key 'wehre' in rule rule", "did you mean 'where'?"),
        (HEAD + "  where:\n    fnuc: f\n" + DO, 4, "unknown key 'fnuc' in where", "did you mean 'func'?"),
        (HEAD + "  do:\n    - inject_hook: { before: B, path: x }\n", 4, "unknown action 'inject_hook'", "did you mean 'inject_hooks'?"),
        (HEAD + "  do:\n    - inject_hooks:\n        befor: B\n        path: x\n", 5, "unknown key 'befor' in inject_hooks", "did you mean 'before'?"),
        (HEAD + "  xyzzy: 1\n" + DO, 3, "unknown key 'xyzzy'", "known: target, version"),
        (HEAD, 1, "rule rule has no `do`", ""),
        ("rule:\n" + DO, 1, "rule rule has no `target`", ""),
        (HEAD + "  do: []\n", 3, "`do` of rule rule must be a list of actions", ""),
        (HEAD + "  do:\n    - inject_hooks: { before: B }\n", 4, "inject_hooks needs `path`", ""),
        (HEAD + "  do:\n    - inject_hooks: { before: B, path: a.b/c, signature: mine }\n", 4, "signature can only be `declared`", "leave it out"),
        (HEAD + "  do:\n    - inject_hooks: { path: x }\n", 4, "needs `path`, and `before` or `after`", ""),
        (HEAD + "  do:\n    - inject_hooks: { before: b, path: x }\n", 4, "before: 'b' is not an exported Go function", ""),
        (HEAD + "  do:\n    - inject_hooks: { before: hooks.B, path: x }\n", 4, "not an exported Go function", "`path` names its package"),
        (HEAD + "  do:\n    - inject_hooks: { before: B, path: ./hooks }\n", 4, "path './hooks' is not an import path", "example.com"),
        (HEAD + "  do:\n    - { inject_hooks: { before: B, path: x }, probe: count }\n", 4, "an action has one key", "entry"),
        (HEAD + "  do:\n    - spam: { name: x }\n", 4, "unknown action 'spam'", "did you mean 'span'?"),
        (HEAD + "  do:\n    - probe: conut\n", 4, "unknown probe 'conut'", "did you mean 'count'?"),
        (HEAD + "  do:\n    - probe: { count: 1 }\n", 4, "probe (count, latency, stress, hot) must be text", ""),
        (HEAD + "  do:\n    - porbe: count\n", 4, "unknown action 'porbe'", "did you mean 'probe'?"),
        (HEAD + "  do:\n    - wrap_call: {}\n", 4, "`wrap_call` changes source text", "inject_hooks"),
        (HEAD + "  where: { func: f, file: { has_func: init } }\n" + DO, 3, "`file` in where is not supported", "func and recv"),
        (HEAD + "  imports: { fmt: fmt }\n" + DO, 3, "`imports` in rule rule is not supported", "leave"),
        (HEAD + "  where: { func: (*DB).query }\n" + DO, 3, "not a function name", 'recv: "*DB"'),
        (HEAD + "  where: { func: 'Map[int]' }\n" + DO, 3, "not a function name", "without type parameters"),
        (HEAD + "  where: { func: f, recv: 'Tree[T]' }\n" + DO, 3, "not a receiver", "type parameters"),
        (HEAD + "  do: {}\n", 3, "an action has one key", ""),
        (HEAD + "  where: { func: f, recv: '*sql.DB' }\n" + DO, 3, "recv '*sql.DB' is not a receiver", "without package"),
        (HEAD + "  where: { func: f, recv: *DB }\n" + DO, 3, "alias", 'recv: "*DB"'),
        (HEAD + "  where: { func: 'f[' }\n" + DO, 3, "is not a glob", "close"),
        ("rule:\n  target: 'net/{a/b,c}'\n" + DO, 2, "is not a glob", "within one element"),
        ("rule:\n  target: 'net/[z-a]'\n" + DO, 2, "is not a glob", ""),
        (HEAD + "  where: { one-of: [] }\n" + DO, 3, "one-of must be a list of conditions", ""),
        (HEAD + "  where: { not: [{ func: f }] }\n" + DO, 3, "expected where to be a mapping", ""),
        (HEAD + "  where: &w { func: f, not: *w }\n" + DO, 3, "inside each other", "anchor"),
        (HEAD + "  where: { func: '' }\n" + DO, 3, "func must be text", ""),
        (HEAD + "  version: 1.2\n" + DO, 3, "version '1.2' is not like v1.2.3", "start inclusive"),
        (HEAD + "  version: v2.0.0,v1.0.0\n" + DO, 3, "version range v2.0.0,v1.0.0 is empty", ""),
        (HEAD + "  optional: perhaps\n" + DO, 3, "optional must be true or false", ""),
        (HEAD + HEAD.replace("rule:\n", "") + DO, 3, "target stands here twice", ""),
        (HEAD + DO + HEAD + DO, 5, "rule stands here twice", ""),
        (HEAD + DO + "other:\n  name: rule\n  target: main\n" + DO, 5, "rule rule stands here twice", ""),
        ("rule:\n  target: $root\n" + DO, 2, "target '$root' is not supported", "example.com/shop/**"),
        ("rule:\n  target: net/http/\n" + DO, 2, "is not an import path", ""),
        ("- a\n- b\n", 1, "expected a mapping of rule names to rules", ""),
        ("rule: 3\n", 1, "expected rule rule to be a mapping", ""),
        ("rule:\n  target: [a]\n" + DO, 2, "target must be text", ""),
        ("a: {\n", 2, "", "YAML"),
        ("a: b: c\n", 1, "mapping values are not allowed", "YAML"),
        ("a: 1\n---\nb: 2\n", 2, "another document", "YAML"),
        ("? [a]\n: 1\n", 1, "a key must be text", ""),
        ("a: !!python/object/apply:os.system [false]\n", 1, "expected rule a to be a mapping", ""),
    ],
)
def test_mistakes_name_file_line_key_and_remedy(write, text, line, what, remedy):
    path = write(text)
    with pytest.raises(UsageError) as caught:
        read_file(path)
    assert caught.value.what.startswith(f"{path}:{line}: "), caught.value
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert caught.value.exit_status == 2


def test_unreadable_files(tmp_path, write):
    with pytest.raises(UsageError, match=r"absent.yaml: No such file or directory"):
        read_file(tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match="Is a directory"):
        read_file(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: \xe9\n")
    with pytest.raises(UsageError, match="not UTF-8 at byte 3"):
        read_file(latin)
    with pytest.raises(UsageError, match=r"acme.yaml"):
        read_file(write("a: \x00\n"))


def test_deep_nesting_is_an_error_not_a_crash(write):
    with pytest.raises(UsageError):
        read_file(write("a: " + "[" * 20_000))
    with pytest.raises(UsageError):
        read_file(write(HEAD + "  where: " + "{not: " * 200 + "{func: f}" + "}" * 200 + "\n" + DO))


WORDS = st.sampled_from(
    [
        "target",
        "where",
        "do",
        "func",
        "recv",
        "not",
        "one-of",
        "all-of",
        "inject_hooks",
        "before",
        "path",
        "version",
        "optional",
        "*",
        "*DB",
        "{",
        "[a",
        "v1",
        "B",
        "a/b",
        "true",
        "",
    ]
)
TREES = st.recursive(
    WORDS | st.text(max_size=6) | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        TREES.map(yaml.safe_dump),
        st.dictionaries(WORDS, TREES, max_size=3).map(lambda tree: yaml.safe_dump({"r": {"target": "main", "do": [], **tree}})),
        st.text(),
    )
)
def test_whatever_a_file_holds_is_rules_or_a_usage_error(tmp_path, text):
    path = tmp_path / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    try:
        rules = read_file(path)
    except UsageError as error:
        assert str(path) in error.what
    else:
        for rule in rules:
            rule.matches_package("net/http")
            rule.matches_function(parse_func_name("net/http.(*T).f"))


# documents


@pytest.mark.parametrize("name", ["README.md", "docs/rules.md"])
def test_the_rules_in_the_documents_are_rules(name, write):
    text = (ROOT / name).read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)
    assert blocks
    for block in blocks:
        assert read_file(write(block)), block


def test_every_refused_word_of_the_documents_is_refused(write):
    text = (ROOT / "docs" / "limits.md").read_text().split("## Rules")[1]
    actions, selectors = (re.findall(r"`(\w+)`", part) for part in re.search(r"the actions (.*?), the selectors(.*?), the target", text, re.S).groups())
    assert len(actions) == 7
    assert len(selectors) == 7
    for action in actions:
        with pytest.raises(UsageError, match=f"`{action}` changes source text"):
            read_file(write(f"r:\n  target: main\n  do: [{{{action}: {{}}}}]\n"))
    for selector in selectors:
        with pytest.raises(UsageError, match=f"`{selector}` in where is not supported"):
            read_file(write(f"r:\n  target: main\n  where: {{{selector}: x}}\n{DO}"))
