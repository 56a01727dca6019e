"""The reduced module: JSON that says what the interpreter needs, and leaves out what it does not."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from safecelery.lint.ir.reduce import reduce_module
from safecelery.lint.model.expressions import Evaluator
from safecelery.lint.model.statements import Executor


def reduced(source: str) -> dict[str, Any]:
    return dict(reduce_module(ast.parse(source), source))


def body(source: str) -> list[Any]:
    return list(reduced(source)["body"])


FORMS = """\
import os, a.b as c
from .x import y as z
@d(1)
class A(B, metaclass=M):
    x: int = 3
    y: int
@d
async def f(p, /, q=1, *a, k=2, **o):
    y = -p, not p, p[1:2], p if q else k, lambda: 0, f"{p}x", (w := 1)
    return [n for n in p if n], {1: 2, **o}, {3}, 2 < 3 < 4
for i, *j in x:
    if i:
        break
    continue
else:
    x += 1
while x:
    x = x and y or z
with open(p) as q:
    raise ValueError(p) from None
try:
    del p[0]
except* (A, B) as e:
    global g
match x:
    case {"k": v}: x = 1
async def h():
    async with a as b:
        await c
    async for d in e: yield d
type X = int
""".replace("type X = int\n", "")


def tags(node: Any, found: set[str]) -> set[str]:
    if isinstance(node, list):
        if node and isinstance(node[0], str) and len(node) > 1 and isinstance(node[1], int):
            found.add(node[0])
        for part in node:
            tags(part, found)
    return found


def test_every_form_is_json_that_the_interpreter_has_a_method_for() -> None:
    result = reduced(FORMS)
    assert json.loads(json.dumps(result)) == result
    known = {*Evaluator(None).table, *Executor(None).table}  # type: ignore[arg-type]
    found = tags(result["body"], set())
    assert len(found) > 35
    assert found <= known


@pytest.mark.parametrize(
    ("source", "node"),
    [
        ("x = 1", ["=", 1, [["n", 1, "x"]], ["k", 1, 1]]),
        ("x.y = 'a'", ["=", 1, [["a", 1, ["n", 1, "x"], "y"]], ["k", 1, "a"]]),
        ("f(1, *a, k=2, **o)", ["e", 1, ["c", 1, ["n", 1, "f"], [["k", 1, 1], ["*", 1, ["n", 1, "a"]]],
                                         [["k", ["k", 1, 2]], [None, ["n", 1, "o"]]]]]),
        ("from ..a import b", ["from", 1, 2, "a", [["b", None]]]),
        ("while 1: break", ["while", 1, ["k", 1, 1], [["brk", 1]]]),
        ("while 1: continue", ["while", 1, ["k", 1, 1], [["cont", 1]]]),
    ],
)  # fmt: skip
def test_the_form_of_common_statements(source: str, node: list[Any]) -> None:
    assert body(source) == [node]


def test_a_function_starts_at_its_first_decorator() -> None:
    (node,) = body("@a\n@b\ndef f(): ...\n")
    assert node[:4] == ["def", 1, 3, "f"]


def test_docstrings_and_pass_are_left_out() -> None:
    assert body('"""Doc."""\npass\n') == []


@pytest.mark.parametrize("value", ["b'x'", "1j", "...", "9" * 60, f"'{'x' * 9000}'"])
def test_constants_that_no_setting_is_made_of_are_named_only(value: str) -> None:
    ((_, _, _, node),) = body(f"x = {value}\n")
    assert node[0] == "?"
    assert len(node[2]) < 80


def test_long_bodies_without_a_word_of_configuration_are_dropped() -> None:
    long = "    x = compute(1)\n" * 100
    (dropped,), (kept,) = body(f"def f():\n{long}"), body(f"def f():\n{long}    return app.task(x)\n")
    assert dropped[6] is None
    assert kept[6]


def test_calls_that_send_tasks_are_listed_with_their_function() -> None:
    source = "def view():\n    from a import pay\n    pay.delay(1)\n\npay.apply_async((1,), countdown=3)\n"
    calls = reduced(source)["calls"]
    assert sorted((call[0], call[2]) for call in calls) == [(3, 1), (5, 0)]
    assert next(call[3] for call in calls if call[0] == 3) == [["from", 2, 0, "a", [["pay", None]]]]


def test_nesting_beyond_reason_is_cut() -> None:
    ((_, _, _, node),) = body("x = " + "-" * 400 + "1\n")
    assert len(json.dumps(node)) < 5000
