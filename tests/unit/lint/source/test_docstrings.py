"""Where docstrings are, and what of the hints in them counts."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest

from safecelery.lint.source.docstrings import Docstrings
from safecelery.lint.source.hints import is_hinted

HELD = [
    b'"""X"""\n',
    b'#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n"""X"""\n',
    b'def f():\n    """X"""\n',
    b'def f():\n    r"""X"""\n',
    b'class A:\n    # why\n\n    """\n    About X.\n    """\n',
    b'def f(\n    a: int,\n) -> None:\n    """X"""\n',
    b'A = """text"""\n\n\ndef f():\n    """X"""\n',
    b'def f():\n    """A \\""" and X"""\n',
]
NOT_HELD = [
    b"X\n",
    b'A = """X"""\n',
    b'f(\n    """X"""\n)\n',
    b'A = {\n    "a":\n    """X"""\n}\n',
    b'def f():\n    f"""X"""\n',
    b'def f():\n    """text"""\n    X\n',
    b'def f():\n    """text"""; X\n',
    b'# """\ndef f():\n    X\n    """text"""\n',
    b'A = \'"""\'\n\n\ndef f():\n    X\n    """text"""\n',
    b'A = \'\\\n  """\'\n\n\ndef f():\n    X\n    """text"""\n',
    b'def f():\n    \'\'\'\n    """\n    \'\'\'\n    X\n    """text"""\n',
    b'def f():\n    """X\n',
]


@pytest.mark.parametrize("data", HELD)
def test_it_is_in_a_docstring(data: bytes) -> None:
    assert Docstrings(data).hold(data.index(b"X"))


@pytest.mark.parametrize("data", NOT_HELD)
def test_it_is_not_or_that_cannot_be_told(data: bytes) -> None:
    assert not Docstrings(data).hold(data.index(b"X"))


def test_python_finds_docstrings_wherever_we_do() -> None:
    """In files of people who wrote them for other reasons than this test."""
    site = Path(sysconfig.get_paths()["purelib"])
    found = 0
    for package in ("celery", "kombu", "billiard", "django", "click"):
        for path in sorted((site / package).rglob("*.py")):
            data = path.read_bytes()
            lines = [0, *(at + 1 for at, byte in enumerate(data) if byte == 10)]
            ours = Docstrings(data)
            theirs = _texts(data)
            for number, start in enumerate(lines[:-1], start=1):
                if ours.hold(start):
                    found += 1
                    assert any(first <= number <= last for first, last in theirs), (path, number)
    assert found > 5000


def _texts(data: bytes) -> list[tuple[int, int]]:
    """First and last line of every text that stands alone."""
    return [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(ast.parse(data))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"# x.delay(1)\n",
        b"x = 1  # use apply_async\n",
        b'def f():\n    """Calls x.delay(1), see Celery/kombu (Celery)."""\n',
        b"def f(send_task):\n    await send_task\n",
        b"x = send_task = make()\n",
    ],
)
def test_a_hint_beside_the_code_is_none(data: bytes) -> None:
    assert not is_hinted(data)


@pytest.mark.parametrize(
    "data",
    [
        b'x.delay("#")\n',
        b'x = "a # b"; f.delay(1)\n',
        b"app.send_task('x')\n",
        b"from x import send_task\n",
        b"from x import (\n    a,\n    send_task,\n)\n",
        b'getattr(app, "send_task")\n',
        b"send = app.send_task\n",
        b'"""Celery/kombu."""\nx = "kombu"\n',
        b'"""# safecelery: ignore[SFC101] why"""\n',
        b'"""Of (Celery)."""\nclient.set_missing_host_key_policy(AutoAddPolicy)\n',
    ],
)
def test_a_hint_in_the_code_is_one(data: bytes) -> None:
    assert is_hinted(data)
