"""Three values: where a branch cannot be decided, only what every way through agrees on is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.lint.project.readings import APP, Default, Reading, Unread, facts_of

OPEN = Unread("an open value")


def read(tmp_path: Path, before: str, value: str = "T", option: str = "time_limit") -> Reading:
    """``maybe`` comes from outside the tree, so nobody knows whether it is true."""
    source = (
        f"from shop.celery import app\nfrom lost import maybe\n{before}\n@app.task({option}={value})\ndef pay(): ...\n"
    )
    return facts_of(tmp_path, {**APP, "shop/tasks.py": source})


CASES: dict[str, tuple[str, Any]] = {
    "both branches agree": ("if maybe:\n    T = 30\nelse:\n    T = 30", 30),
    "branches differ": ("if maybe:\n    T = 30\nelse:\n    T = 60", OPEN),
    "agree in value, not in type": ("if maybe:\n    T = 1\nelse:\n    T = True", OPEN),
    "one branch changes": ("T = 30\nif maybe:\n    T = 60", OPEN),
    "one branch sets the same": ("T = 30\nif maybe:\n    T = 30", 30),
    "only one branch binds": ("if maybe:\n    T = 30", OPEN),
    "a branch of something else": ("T = 30\nif maybe:\n    U = 60", 30),
    "elif": ("if maybe:\n    T = 30\nelif maybe > 3:\n    T = 60\nelse:\n    T = 30", OPEN),
    "elif, all agree": ("if maybe:\n    T = 30\nelif maybe > 3:\n    T = 30\nelse:\n    T = 30", 30),
    "nested": ("if maybe:\n    if maybe > 1:\n        T = 30\n    else:\n        T = 60\nelse:\n    T = 30", OPEN),
    "assigned again afterwards": ("if maybe:\n    T = 60\nT = 30", 30),
    "conditional expression": ("T = 30 if maybe else 60", OPEN),
    "conditional expression, agreeing": ("T = 30 if maybe else 30", 30),
    "unknown or": ("T = maybe or 30", OPEN),
    "unknown and": ("T = maybe and 30", OPEN),
    "comparison of the unknown": ("T = 30 if maybe > 3 else 60", OPEN),
    "a branch that raises": ("if maybe:\n    T = 30\nelse:\n    raise RuntimeError", 30),
    "both raise": ("T = 30\nif maybe:\n    raise ValueError\nelse:\n    raise TypeError", 30),
    "loop over the unknown": ("T = 30\nfor x in maybe:\n    T = 60", OPEN),
    "loop over the unknown that changes nothing": ("T = 30\nfor x in maybe:\n    print(x)", 30),
    "loop adds up the unknown": ("T = 0\nfor x in maybe:\n    T += 1", OPEN),
    "while": ("T = 30\nwhile maybe:\n    T = 60", OPEN),
    "while false": ("T = 30\nwhile False:\n    T = 60", 30),
    "break": ("T = 0\nfor x in (30, 60):\n    T = x\n    if maybe:\n        break", OPEN),
    "continue": ("T = 0\nfor x in (30, 60):\n    if maybe:\n        continue\n    T = x", OPEN),
    "continue, then nothing": ("T = 30\nfor x in (1, 2):\n    if maybe:\n        continue\n    U = x", 30),
    "break decided": ("T = 0\nfor x in (30, 60):\n    T = x\n    if x == 30:\n        break", 30),
    "continue decided": ("T = 0\nfor x in (30, 60):\n    if x == 60:\n        continue\n    T = x", 30),
    "else of a loop": ("for x in (1, 2):\n    pass\nelse:\n    T = 30", 30),
    "else of a loop that breaks": ("T = 30\nfor x in (1, 2):\n    break\nelse:\n    T = 60", 30),
    "break in a try": ("T = 0\nfor x in (30, 60):\n    T = x\n    try:\n        break\n    finally:\n        pass", 30),
    "match": ("match maybe:\n    case 1:\n        T = 30\n    case _:\n        T = 60", OPEN),
    "early return": ("def f():\n    if maybe:\n        return 60\n    return 30\nT = f()", OPEN),
    "early return of the same": ("def f():\n    if maybe:\n        return 30\n    return 30\nT = f()", 30),
    "early return of nothing": ("def f():\n    if maybe:\n        return\n    return 30\nT = f()", OPEN),
    "function that may raise": ("def f():\n    if maybe:\n        raise ValueError\n    return 30\nT = f()", 30),
    "item of a dict": ("D = {'t': 30}\nif maybe:\n    D['t'] = 60\nT = D['t']", OPEN),
    "another item of a dict": ("D = {'t': 30}\nif maybe:\n    D['u'] = 60\nT = D['t']", 30),
    "dict update": ("D = {'t': 30}\nif maybe:\n    D.update(t=60)\nT = D['t']", OPEN),
    "dict update by the unknown": ("D = {'t': 30}\nD.update(maybe)\nT = D['t']", OPEN),
    "attribute of an object": ("class L:\n    t = 30\nl = L()\nif maybe:\n    l.t = 60\nT = l.t", OPEN),
    "attribute of a class": ("class L:\n    t = 30\nif maybe:\n    L.t = 60\nT = L.t", OPEN),
    "list grows perhaps": ("A = [30]\nif maybe:\n    A.insert(0, 60)\nT = A[0]", OPEN),
    "global of a function": ("T = 30\ndef f():\n    global T\n    T = 60\nif maybe:\n    f()", OPEN),
    "class body": ("class L:\n    t = 30\n    if maybe:\n        t = 60\nT = L.t", OPEN),
    "import of the tree": ("try:\n    from shop.celery import app\n    T = 30\nexcept ImportError:\n    T = 60", 30),
    "import of nothing": ("try:\n    from shop.nothing import x\n    T = 60\nexcept ImportError:\n    T = 30", 30),
    "import from outside": (
        "try:\n    import uvloop\n    T = 30\nexcept ImportError:\n    T = 60", Default(30, "package uvloop")),
    "flag for a package": (
        "T = 60\ntry:\n    import uvloop\nexcept ImportError:\n    T = 30", Default(60, "package uvloop")),
    "import from the standard library": ("try:\n    import json\n    T = 30\nexcept ImportError:\n    T = 60", 30),
    "value of a caught error": ("try:\n    T = {}['x']\nexcept KeyError:\n    T = 30", 30),
    "int of no number": ("try:\n    T = int('x')\nexcept ValueError:\n    T = 30", 30),
    "finally": ("try:\n    U = {}['x']\nexcept KeyError:\n    U = 3\nfinally:\n    T = 30", 30),
    "else of a try": ("try:\n    U = 1\nexcept KeyError:\n    T = 60\nelse:\n    T = 30", 30),
    "raised in a function, caught outside": (
        "def f():\n    raise LookupError\ntry:\n    T = f()\nexcept LookupError:\n    T = 30", 30),
    # What is tried is taken to succeed, unless it is known to raise.
    "call of the unknown in a try": ("try:\n    T = 30\n    maybe()\nexcept Exception:\n    T = 60", 30),
    "dict display around the unknown": ("D = {'t': 60, **maybe}\nT = D['t']", OPEN),
    "dict display after the unknown": ("D = {**maybe, 't': 30}\nT = D['t']", 30),
}  # fmt: skip


@pytest.mark.parametrize(("before", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_known_after_branches(tmp_path: Path, before: str, expected: Any) -> None:
    found = read(tmp_path, before).value("pay", "time_limit")
    if expected is OPEN:
        assert isinstance(found, Unread), found
    else:
        assert found == expected


CONF = {
    "set in one branch": ("if maybe:\n    app.conf.task_time_limit = 60\n", OPEN),
    "set in both alike": (
        "if maybe:\n    app.conf.task_time_limit = 60\nelse:\n    app.conf.task_time_limit = 60\n", OPEN),
    "set before": ("app.conf.task_time_limit = 30\nif maybe:\n    app.conf.task_acks_late = True\n", 30),
    "changed perhaps": ("app.conf.task_time_limit = 30\nif maybe:\n    app.conf.task_time_limit = 60\n", OPEN),
    "set to the same perhaps": ("app.conf.task_time_limit = 30\nif maybe:\n    app.conf.task_time_limit = 30\n", 30),
    "object read perhaps": ("if maybe:\n    app.config_from_object({'task_time_limit': 60})\n", OPEN),
    "set in a function that may return first": (
        "def f():\n    if maybe:\n        return\n    app.conf.task_time_limit = 60\nf()\n", OPEN),
    "set in a loop over the unknown": ("for x in maybe:\n    app.conf.task_time_limit = 60\n", OPEN),
    "set afterwards for sure": ("if maybe:\n    app.conf.task_time_limit = 60\napp.conf.task_time_limit = 30\n", 30),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), CONF.values(), ids=CONF.keys())
def test_settings_in_branches(tmp_path: Path, lines: str, expected: Any) -> None:
    celery = f"from celery import Celery\nfrom lost import maybe\napp = Celery('shop')\n{lines}"
    tasks = "from shop.celery import app\n@app.task\ndef pay(): ...\n"
    found = facts_of(tmp_path, {**APP, "shop/celery.py": celery, "shop/tasks.py": tasks}).value("pay", "time_limit")
    if expected is OPEN:
        assert isinstance(found, Unread), found
    else:
        assert found == expected


def test_options_collected_in_a_branch(tmp_path: Path) -> None:
    before = "O = {'acks_late': True}\nif maybe:\n    O['time_limit'] = 60"
    source = f"from shop.celery import app\nfrom lost import maybe\n{before}\n@app.task(**O)\ndef pay(): ...\n"
    reading = facts_of(tmp_path, {**APP, "shop/tasks.py": source})
    assert reading.value("pay", "acks_late") is True
    assert isinstance(reading.value("pay", "time_limit"), Unread)


def test_the_condition_that_cannot_be_decided_is_the_blocker(tmp_path: Path) -> None:
    found = read(tmp_path, "import lost\nT = 30\nif lost.flag('x'):\n    T = 60").value("pay", "time_limit")
    assert found == Unread("lost.flag(...)")


def test_a_task_in_a_branch_that_may_not_run_is_found(tmp_path: Path) -> None:
    source = "from shop.celery import app\nfrom lost import maybe\nif maybe:\n    @app.task(time_limit=3)\n"
    source += "    def pay(): ...\n"
    assert facts_of(tmp_path, {**APP, "shop/tasks.py": source}).value("pay", "time_limit") == 3


def test_what_is_known_may_still_depend_on_the_environment(tmp_path: Path) -> None:
    before = "import os\nif os.environ.get('A') == 'x':\n    T = 60\nelse:\n    T = 30"
    assert read(tmp_path, before).value("pay", "time_limit") == Default(30, "A")
