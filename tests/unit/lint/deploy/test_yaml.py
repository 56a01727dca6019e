"""The YAML reader: what it understands it understands as YAML does; the rest it says it does not."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.lint.deploy.yaml import Map, Node, Opaque, Scalar, Seq, documents


def plain(node: Node) -> Any:
    if isinstance(node, Map):
        found = {key: plain(value) for key, value in node.items.items()}
        return found | {"...": "templated"} if node.templated else found
    if isinstance(node, Seq):
        return [plain(item) for item in node.items] + (["..."] if node.templated else [])
    return node.text if isinstance(node, Scalar) else "?"


def first(text: str) -> Any:
    return plain(next(documents(text)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\nb:\n  c: x y # comment\n", {"a": "1", "b": {"c": "x y"}}),
        ("a:\n- x\n- y: 1\n  z: 2\n", {"a": ["x", {"y": "1", "z": "2"}]}),
        ("a: [x, 'y z', \"w\", {b: c}]\n", {"a": ["x", "y z", "w", {"b": "c"}]}),
        ("a:\n  [\n    x,\n    y,\n  ]\n", {"a": ["x", "y"]}),
        ("a: |\n  one\n  two\nb: >\n  three\n  four\n", {"a": "one\ntwo\n", "b": "three four"}),
        ("a: 'it''s'\nb: \"a\\\"b\"\n", {"a": "it's", "b": 'a"b'}),
        ("a: one\n  two\nb: 1\n", {"a": "one two", "b": "1"}),
        ("x: &x {a: 1}\ny:\n  <<: *x\n  b: 2\n", {"x": {"a": "1"}, "y": {"a": "1", "b": "2"}}),
        ("x: &x\n  a: 1\ny: *x\n", {"x": {"a": "1"}, "y": {"a": "1"}}),
        ("a:\n  - - x\n    - y\n", {"a": [["x", "y"]]}),
        ("a: redis://:p@h:1/0\n", {"a": "redis://:p@h:1/0"}),
        ("a:\nb: !Ref x\n", {"a": "", "b": "x"}),
        ("- |\n  x\n- y\n", ["x\n", "y"]),
    ],
)
def test_plain_yaml(text: str, value: Any) -> None:
    assert first(text) == value


def test_documents_are_separate() -> None:
    assert [plain(document) for document in documents("a: 1\n---\nb: 2\n")] == [{"a": "1"}, {"b": "2"}]


def test_lines_are_kept() -> None:
    document = next(documents("# x\na: 1\n\nb:\n  - c\n"))
    assert isinstance(document, Map)
    assert document.lines == {"a": 2, "b": 4}


def test_a_template_that_prints_keys_makes_the_map_templated_and_control_lines_do_not() -> None:
    text = (
        "spec:\n  {{- if .X }}\n  a: 1\n  {{- end }}\n  b:\n    {{- toYaml .Y | nindent 4 }}\n"
        '  c:\n    d: 1\n    {{- include "z" . | nindent 4 }}\n'
    )
    assert first(text) == {"spec": {"a": "1", "b": "?", "c": {"d": "1", "...": "templated"}}}


def test_an_absent_key_of_a_templated_map_is_opaque_and_of_another_absent() -> None:
    document = next(documents('a:\n  b: 1\n  {{ include "x" . }}\nc:\n  d: 1\n'))
    assert isinstance(document, Map)
    assert isinstance(document.get("a", "other"), Opaque)
    assert document.get("c", "other") is None


def test_a_key_that_is_written_twice_is_not_guessed() -> None:
    assert first("{{ if .X }}\na: 1\n{{ else }}\na: 2\n{{ end }}\n") == {"a": "?"}
