"""Rule files that somebody else wrote: bounded in size, nodes, alternatives and time; no name of theirs becomes a flag of a tool."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from objinst.link.choice import in_force
from objinst.errors import UsageError
from objinst.rules import supports
from rule_files import load, read_file
from objinst.rules.names import MAX_ALTERNATIVES, import_path_error, name_glob, path_glob

HOOK = "r:\n  target: main\n  do: { inject_hooks: { before: B, path: %s } }\n"


@pytest.fixture
def write(tmp_path):
    def make(text, name="acme.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def test_aliases_of_aliases_are_counted(write):
    levels = "".join(f"      - &a{i} {{ one-of: [{', '.join([f'*a{i - 1}'] * 6)}] }}\n" for i in range(1, 20))
    with pytest.raises(UsageError, match="more than"):
        read_file(write("r:\n  target: main\n  where:\n    all-of:\n      - &a0 { func: f }\n" + levels + "  do: { probe: count }\n"))


def test_a_large_file_is_refused_unread(write):
    with pytest.raises(UsageError, match="larger than"):
        read_file(write("#" * (1 << 20) + "\n"))


@pytest.mark.parametrize("text", ["- " * 500_000 + "a", "[" * 500_000, "{a: " * 200_000, "&a [*a]", "".join(f"{' ' * i}a:\n" for i in range(1200))])
def test_deep_files_are_one_error(write, text):
    with pytest.raises(UsageError):
        read_file(write(text))


@pytest.mark.parametrize("path", ["-toolexec=/tmp/x", "--", "a//b", "a/./b", "../x", "a/b.", "a b", "a/con/b", "x\x01y", "example.com/ä", "$(id)", "a;b"])
def test_what_is_no_import_path_is_refused(write, path):
    assert import_path_error(path)
    with pytest.raises(UsageError, match="import path|characters are not allowed|control characters"):
        read_file(write(HOOK % f'"{path}"'))


@pytest.mark.parametrize("path", ["example.com/acme/sqlhooks", "x", "gopkg.in/yaml.v3", "a/b-c_d~e+f", ".hidden/x"])
def test_import_paths_are_taken(write, path):
    assert not import_path_error(path)
    assert read_file(write(HOOK % path))


@pytest.mark.parametrize("name", ["-x", "a,b", "a\\nb", "\\x1b[31m", "x" * 201])
def test_names_are_names(write, name):
    with pytest.raises(UsageError):
        read_file(write(f'"{name}":\n  target: main\n  do: {{ probe: count }}\n'))


@pytest.mark.parametrize("name", ["sdk.yaml", "probe.yaml"])
def test_a_users_file_of_the_name_of_a_supporting_one_is_in_force(write, name):
    path = write("mine:\n  target: example.com/app\n  where: { func: f }\n  do: { inject_hooks: { before: B, path: example.com/app/h } }\n", name)
    rules = load([path], {})
    mine = next(rule for rule in rules.rules if rule.name == "mine")

    class Around:
        def has(self, rule):
            return rule.target == "example.com/app"

    assert not supports(mine)
    assert any(supports(rule) for rule in rules.rules)
    assert in_force(rules, Around())[1] == [mine]


def test_alternatives_are_bounded():
    with pytest.raises(ValueError, match="alternatives"):
        name_glob("{a,b}" * 8)
    for pattern in ("a" * 501, "{" * 21 + "a" + "}" * 21):
        with pytest.raises(ValueError, match="longer than|inside each other"):
            name_glob(pattern)
    with pytest.raises(ValueError, match="alternatives"):
        path_glob("/".join(["{a,b}"] * 8))
    assert name_glob("{a,b}" * 7).fullmatch("abababb")
    assert MAX_ALTERNATIVES >= 2**7


LARGE = [
    (path_glob, "{" + "," * 180 + "}" + "/a" * 160, "longer than"),
    (path_glob, "{" + "," * 190 + "}" + "/*a" * 50, "too much text"),
    (name_glob, "{" + "," * 190 + "}" + "*a" * 100, "too much text"),
]


@pytest.mark.parametrize(("glob", "pattern", "said"), LARGE)
def test_globs_are_bounded_in_size(glob, pattern, said):
    with pytest.raises(ValueError, match=said):
        glob(pattern)


def test_the_globs_of_a_file_are_bounded_together(write):
    """Each alone is as large as one may be."""
    rules = "".join(f"r{i}:\n  target: '{{{'a,' * 60}b{i}}}{'/*a' * 15}'\n  do: {{ probe: count }}\n" for i in range(600))
    with pytest.raises(UsageError, match="too large together"):
        read_file(write(rules))


def test_many_rules_without_alternatives_are_taken(write):
    rules = "".join(f"r{i}:\n  target: 'example.com/service{i}/**'\n  where: {{ func: 'handle{i}*' }}\n  do: {{ probe: count }}\n" for i in range(1000))
    assert len(read_file(write(rules))) == 1000


HOSTILE = [
    (name_glob, "*a" * 30 + "b", "a" * 3000),
    (name_glob, "*?a" * 20 + "b", "a" * 3000),
    (path_glob, "/".join(["**", "a"] * 15) + "/b", "/".join("a" * 1500)),
    (path_glob, "**/*a*a*a*a*a*a*a*a*a*a*b", "/".join(["a" * 50] * 30)),
]


@pytest.mark.parametrize(("glob", "pattern", "text"), HOSTILE)
def test_globs_do_not_go_back(glob, pattern, text):
    """The old translation took longer than the universe lasts for each of these; a hang is what this finds."""
    assert glob(pattern).fullmatch(text) is None


def reference(pattern, any_char):
    """A plain translation that tries everything."""
    out, depth, at = "", 0, 0
    while at < len(pattern):
        char, at = pattern[at], at + 1
        if char in "*?":
            out += any_char + ("*" if char == "*" else "")
        elif char == "[":
            end = pattern.find("]", at + 1)
            content, at = pattern[at:end], end + 1
            out += "(?!/)[" + ("^" + content[1:] if content[0] in "!^" else content) + "]"
        elif char in "{}" or (char == "," and depth):
            depth += {"{": 1, "}": -1}.get(char, 0)
            out += {"{": "(?:", "}": ")", ",": "|"}[char]
        else:
            out += re.escape(char)
    return out


def reference_path(pattern):
    first, *more = re.sub(r"(?<![^/])\*\*(/\*\*)+(?=/|$)", "**", pattern).split("/")
    regex = ("(?:.*/)?" if more else ".*") if first == "**" else reference(first, "[^/]")
    for element in more:
        regex += "(?:/.*)?" if element == "**" else ("" if regex == "(?:.*/)?" else "/") + reference(element, "[^/]")
    return re.compile(regex)


def is_small(pattern):
    """Every brace of the pieces stands for three globs at most."""
    return 3 ** pattern.count("{") <= MAX_ALTERNATIVES


PIECES = st.sampled_from(["a", "b", "ab", "*", "?", "[ab]", "[!a]", "{a,b}", "{a,ab,*b}", "{b,{a,?b}}"])
NAMES = st.lists(PIECES, max_size=5).map("".join)
ELEMENTS = st.one_of(st.just("**"), st.lists(PIECES, min_size=1, max_size=3).map("".join).filter(lambda text: text != "**"))
TEXTS = st.text("ab/", max_size=9)


@settings(max_examples=600, deadline=None)
@given(NAMES, st.text("abc", max_size=8))
def test_names_match_as_by_trying_everything(pattern, text):
    assume(is_small(pattern))
    assert (name_glob(pattern).fullmatch(text) is None) == (re.compile(reference(pattern, ".")).fullmatch(text) is None)


@settings(max_examples=600, deadline=None)
@given(st.lists(ELEMENTS, min_size=1, max_size=4).map("/".join), TEXTS)
@example("*[!a]", "b/")
def test_paths_match_as_by_trying_everything(pattern, text):
    assume(is_small(pattern))
    assert (path_glob(pattern).fullmatch(text) is None) == (reference_path(pattern).fullmatch(text) is None), path_glob(pattern)
