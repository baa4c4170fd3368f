"""`span` in rule files: what is read, and that every mistake names file, line, and the nearest right name."""

from __future__ import annotations

import pytest

from objinst.errors import UsageError
from objinst.actions.span import Span
from objinst.rules import ValuePath
from rule_files import load, read_file

HEAD = "orders:\n  target: example.com/acme/shop\n  do:\n"


@pytest.fixture
def span_of(tmp_path):
    def read(text: str) -> Span:
        path = tmp_path / "acme.yaml"
        path.write_text(f"{HEAD}    - span: {text}\n")
        ((action,),) = (rule.do for rule in read_file(path))
        assert isinstance(action, Span)
        return action

    return read


def test_a_span_is_read_whole(span_of):
    text = '{ name: "order {arg.order.ID} {{x}}", kind: server, attributes: { order.id: arg.order.ID, "code": result.err.Code, size: len(arg.1), r: recv.region, n: result.0 } }'
    assert span_of(text) == Span(
        ("order ", ValuePath("arg", "order", ("ID",)), " {x}"),
        "server",
        (
            ("order.id", ValuePath("arg", "order", ("ID",))),
            ("code", ValuePath("result", "err", ("Code",))),
            ("size", ValuePath("arg", "1", length=True)),
            ("r", ValuePath("recv", "", ("region",))),
            ("n", ValuePath("result", "0")),
        ),
    )


@pytest.mark.parametrize("text", ["{}", "", "null_is_text"])
def test_nothing_said_is_the_functions_own_name(span_of, text):
    if text == "null_is_text":
        with pytest.raises(UsageError, match="expected span to be a mapping"):
            span_of(text)
    else:
        assert span_of(text) == Span((), "internal", ())


def test_paths_print_as_they_were_written(span_of):
    paths = ["arg.order.ID", "arg.0", "recv", "recv.a.b", "result.err", "len(result.0.items)"]
    action = span_of("{ attributes: { " + ", ".join(f"a{i}: {path}" for i, path in enumerate(paths)) + " } }")
    assert [str(path) for _, path in action.attributes] == paths
    assert all(path.origin.endswith("acme.yaml:4") for _, path in action.attributes)


def test_the_digest_is_of_meaning_not_of_place(tmp_path):
    def digest(text: str) -> str:
        path = tmp_path / "acme.yaml"
        path.write_text(text)
        return load([path], {"OTELOBJ_DISABLE": "all"}).digest()

    rule = HEAD + "    - span: { name: a, attributes: { n: arg.n } }\n"
    assert digest("# moved\n\n" + rule) == digest(rule)
    for change in (("name: a", "name: b"), ("n: arg.n", "m: arg.n"), ("arg.n", "result.n"), ("arg.n", "len(arg.n)"), ("name: a", "kind: server")):
        assert digest(rule.replace(*change)) != digest(rule), change


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("{ nmae: x }", "unknown key 'nmae' in span", "did you mean 'name'?"),
        ("{ kind: sever }", "unknown span kind 'sever'", "did you mean 'server'?"),
        ("[a]", "expected span to be a mapping", ""),
        ("{ attributes: [a] }", "expected attributes to be a mapping", ""),
        ("{ attributes: { a: } }", "attribute a must be text", ""),
        ("{ attributes: { a: args.x } }", "path 'args.x' begins with 'args'", "did you mean 'arg'?"),
        ("{ attributes: { a: order.ID } }", "path 'order.ID' begins with 'order'", "a path is arg.NAME"),
        ("{ attributes: { a: arg } }", "path 'arg' does not say which arg", "arg.N"),
        ("{ attributes: { a: arg. } }", "path 'arg.' does not say which arg", "arg.N"),
        ("{ attributes: { a: arg.x.0 } }", "path 'arg.x.0': '0' is not the name of a field", ""),
        ("{ attributes: { a: arg.x..y } }", "path 'arg.x..y': '' is not the name of a field", ""),
        ("{ attributes: { a: 'arg.x[0]' } }", "does not say which arg", ""),
        ("{ attributes: { a: len(arg.x).y } }", "begins with 'len(arg'", ""),
        ("{ name: '{result.0}' }", "name '{result.0}': result.0 is not known when the span starts", "as an attribute"),
        ("{ name: 'a {arg.x' }", "name 'a {arg.x': { stands alone", "write {{ and }}"),
        ("{ name: 'a } b' }", "} stands alone", "write {{ and }}"),
        ("{ name: '{}' }", "path '' begins with ''", "a path is"),
        ("{ name: '' }", "name must be text", ""),
        ("{ attributes: { a: arg.x, a: arg.y } }", "a stands here twice", ""),
    ],
)
def test_mistakes(span_of, text, what, remedy):
    with pytest.raises(UsageError) as caught:
        span_of(text)
    assert "acme.yaml:4: " in caught.value.what
    assert what in caught.value.what
    assert remedy in caught.value.remedy
