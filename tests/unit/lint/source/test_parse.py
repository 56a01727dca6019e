"""Any text gives a tree or a reason, and newer syntax keeps its lines."""

from __future__ import annotations

import ast
import sys
import textwrap
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecelery.lint.source.newer import older_syntax
from safecelery.lint.source.parse import parse
from safecelery.lint.source.reading import decode_source


def functions(source: str) -> dict[str, int]:
    parsed = parse(textwrap.dedent(source))
    assert parsed.tree is not None, parsed.unread
    return {node.name: node.lineno for node in ast.walk(parsed.tree) if isinstance(node, ast.FunctionDef)}


NEWER = {
    "PEP 758": "try:\n    x()\nexcept A, b.C:\n    pass\n",
    "PEP 758 in brackets and with a group": "try:\n    x()\nexcept* A, f(1, 2)[0:1]:  # A, B: both\n    pass\n",
    "PEP 695 alias": "type Pair[T] = tuple[T, T]\n",
    "PEP 695 alias without parameters": "if x:\n    type Pair = tuple[int, int]\n",
    "PEP 695 function": "async def g[T: (int, str), *Ts](x: T) -> T: ...\n",
    "PEP 695 class": "class A[T](Base[T]):\n    def m[U](self): ...\n",
    "PEP 695 over lines": "def g[\n    T,\n\n    U,\n](x): ...\n",
    "PEP 696": "class A[T = int, **P = [int]]: ...\n",
    "PEP 701 same quotes": 'f"{x["a"]} {y["b"]:>{z["c"]}}"\n',
    "PEP 701 backslash": 'f"{"\\n".join(x)}"\n',
    "PEP 701 comment and lines": 'f"{\n    x  # why\n}"\n',
    "PEP 701 nested": "f'{f'{f'{f'{f'{1}'}'}'}'}'\n",
    "PEP 750": "t\"hello {name!r:>{width}} {x['a']}\"\n",
    "PEP 810": "lazy import json\nlazy from a.b import c\n",
}


@pytest.mark.parametrize("snippet", NEWER.values(), ids=NEWER.keys())
def test_newer_syntax_is_read_without_loss_and_without_moving_lines(snippet: str) -> None:
    source = f"{snippet}def after(): ...\n"
    parsed = parse(source)
    assert parsed.unread == []
    assert parsed.source.count("\n") == source.count("\n")
    assert functions(source)["after"] == snippet.count("\n") + 1


def test_what_newer_syntax_says_is_kept() -> None:
    parsed = parse("try:\n    x()\nexcept A, B:\n    pass\n")
    assert parsed.tree is not None
    assert ast.unparse(parsed.tree) == "try:\n    x()\nexcept (A, B):\n    pass"
    newer = 'type X[T] = list[T]\nz = f"{x["a"]}"\n'
    parsed = parse(newer)
    assert parsed.tree is not None
    as_read = newer if sys.version_info >= (3, 12) else "type\nX = list[T]\nz = f\"{x['a']}\""
    assert ast.dump(parsed.tree) == ast.dump(ast.parse(as_read))


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads it itself")
def test_an_expression_that_an_older_string_cannot_hold_is_an_unknown_name() -> None:
    parsed = parse('z = f"{"\\n".join(x)} {y["a"]}"\n')
    assert parsed.tree is not None
    assert ast.unparse(parsed.tree) == "z = f\"{__unread__} {y['a']}\""


def test_strings_that_look_like_newer_syntax_are_left_alone() -> None:
    source = 'DOC = """\nexcept A, B:\ntype X = int\ndef f[T](): ...\n"""\ntype Y = int\n'
    parsed = parse(source)
    assert parsed.tree is not None
    assert "except A, B:\ntype X = int\ndef f[T](): ...\n" in ast.unparse(parsed.tree).replace("\\n", "\n")


@pytest.mark.parametrize(
    "source",
    [
        'f"{x!r:>{width}} {{literal}} {y:%Y-%m}"',
        "f'''it's {x} and \"{y['a']}\"'''",
        'rf"\\d{x}\\"{y}"',
        'f"\\N{BULLET} {x}"',
        'f"{x = }" f"{(lambda: 1)()}" f"{a != b}" f"{d[1:2]}"',
        'f"a\\\nb{x}"',
        "b'\\'' + rb\"\\\" # no\" # comment 'x",
    ],
)
def test_strings_older_parsers_read_mean_the_same_after_rewriting(source: str) -> None:
    assert ast.dump(ast.parse(older_syntax(source))) == ast.dump(ast.parse(source))


BROKEN = """
@app.task
def good():
    return 1


@app.task(
    bind=True,
)
def strange(self):
    x = 1
    {line}
    return x


class Job:
    def also_good(self):
        pass


def last():
    pass
"""


@pytest.mark.parametrize(
    "line", ["print x", "{% if x %}", "x = = 3", "<<<<<<< HEAD", "return x y", "if x = 3: y", '"abc']
)
def test_one_strange_line_costs_that_line(line: str) -> None:
    source = BROKEN.replace("{line}", line)
    parsed = parse(source)
    assert parsed.tree is not None
    found = {node.name: node.lineno for node in ast.walk(parsed.tree) if isinstance(node, ast.FunctionDef)}
    assert found == {"good": 3, "strange": 10, "also_good": 17, "last": 21}
    assert [at for at, _ in parsed.unread] == [12]
    assert "line 12 was not read, the rest of the file was" in parsed.unread[0][1]


@pytest.mark.parametrize(
    ("block", "kept"),
    [
        ("@dec(x y)\ndef f():\n    pass\n", set()),
        ("def f(x y):\n    a = 1\n    b = 2\n", set()),
        ("@one\n@two(a b)\n@three\ndef f():\n    pass\n", set()),
        ("def f():\n    if x = 1:\n        a()\n    else:\n        b()\n    c()\n", {"f"}),
        ("def f():\n    try:\n        a()\n    except X as 3:\n        b()\n    finally:\n        c()\n", {"f"}),
        ("class A:\n    x = 1\n     y = 2\n    def f(self): ...\n", {"f"}),
        ("def f():\n", set()),
    ],
)
def test_a_strange_block_costs_that_block(block: str, kept: set[str]) -> None:
    source = f"def before():\n    pass\n\n\n{block}\n\ndef after():\n    pass\n"
    parsed = parse(source)
    assert parsed.tree is not None, parsed.unread
    assert {"before", "after"} | kept == set(functions(source))
    assert functions(source)["after"] == source.count("\n") - 1
    assert parsed.unread


def test_an_open_bracket_or_string_costs_what_follows_but_not_what_came_before() -> None:
    for opened in ("x = (1,\n", 'x = """abc\n', "x = {'a': [1,\n"):
        source = f"def before():\n    pass\n\n\n{opened}\ndef after():\n    pass\n"
        assert "before" in functions(source)
        assert parse(source).unread


def test_a_file_that_is_not_python_is_reported_as_a_whole() -> None:
    parsed = parse("\n".join(f"celery {number} % {{{{ x }}" for number in range(60)))
    assert parsed.tree is None
    assert len(parsed.unread) == 1
    assert "the file was not read" in parsed.unread[0][1]


@pytest.mark.parametrize("source", ["(" * 5000, "x = " + "-" * 100_000 + "1", "x" + ".a" * 100_000, "1" * 10_000])
def test_what_is_too_much_for_the_parser_is_reported(source: str) -> None:
    assert parse(source).unread


def test_warnings_about_linted_code_are_not_shown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse("x = '\\d' is 1\nassert (1, 2)\n").tree is not None


PIECES = [
    *"ftrb\"'{}\\#[]():,!=\n x1@\0\r\f\x0b\u2028\ud800é",
    "def f[",
    "except ",
    "    ",
    "type X",
    "lazy import",
    '"""',
    "class ",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
@settings(max_examples=400, deadline=None)
def test_any_text_gives_a_tree_or_a_reason(source: str) -> None:
    parsed = parse(source)
    assert parsed.tree is not None or parsed.unread
    assert parsed.source.count("\n") == source.count("\n")


@given(
    st.binary(max_size=300) | st.builds(lambda a, b: b"# coding: " + a + b"\n" + b, st.binary(max_size=12), st.binary())
)
@settings(max_examples=400, deadline=None)
def test_any_bytes_give_text(data: bytes) -> None:
    text, problems = decode_source(data)
    assert "\0" not in text
    assert all(line >= 1 for line, _ in problems)


def test_encodings_are_what_python_makes_of_them() -> None:
    assert decode_source(b"\xef\xbb\xbfx = 1") == ("x = 1", [])
    assert decode_source("#!x\n# -*- coding: latin-1 -*-\nx = 'é'".encode("latin-1")) == (
        "#!x\n# -*- coding: latin-1 -*-\nx = 'é'",
        [],
    )
    assert decode_source(b"x = 1\n# coding: nonsense\n") == ("x = 1\n# coding: nonsense\n", [])


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"x = 1\ny = '\xe9'\n", 2, "not utf-8"),
        (b"# coding: nonsense\nx = 1\n", 1, "unknown encoding 'nonsense'"),
        (b"# coding: rot13\nx = 1\n", 1, "unknown encoding 'rot13'"),
        (b"x = 1\n\ny\0 = 2\n", 3, "null byte"),
    ],
)
def test_a_wrong_encoding_is_reported_and_the_rest_is_read(data: bytes, line: int, words: str) -> None:
    text, problems = decode_source(data)
    assert [at for at, _ in problems] == [line]
    assert words in problems[0][1]
    assert parse(text).tree is not None
