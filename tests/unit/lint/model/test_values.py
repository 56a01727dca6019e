"""Every way in which values are written: what Python would make of it is what is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.lint.project.readings import APP, Reading, Unread, facts_of


def read(tmp_path: Path, before: str, value: str, option: str = "time_limit", **modules: str) -> Reading:
    """A task whose option is ``value``, after some statements."""
    source = f"from shop.celery import app\n{before}\n@app.task({option}={value})\ndef pay(): ...\n"
    files = {f"shop/{name}.py": text for name, text in modules.items()}
    return facts_of(tmp_path, {**APP, "shop/tasks.py": source, **files})


EXPRESSIONS: dict[str, tuple[str, str, Any]] = {
    "literal": ("", "30", 30),
    "arithmetic": ("", "2 * 60 + 5", 125),
    "power and division": ("", "2 ** 5 / 4", 8.0),
    "floor and modulo": ("", "100 // 3 + 100 % 7", 35),
    "shift": ("", "1 << 5", 32),
    "underscores": ("", "1_000", 1000),
    "negative": ("", "-5", -5),
    "constant": ("LIMIT = 30", "LIMIT", 30),
    "constant of constants": ("MINUTE = 60\nLIMIT = 2 * MINUTE", "LIMIT", 120),
    "assigned last": ("LIMIT = 1\nLIMIT = 30", "LIMIT", 30),
    "augmented": ("LIMIT = 10\nLIMIT += 20", "LIMIT", 30),
    "annotated": ("LIMIT: int = 30", "LIMIT", 30),
    "Final": ("from typing import Final\nLIMIT: Final = 30", "LIMIT", 30),
    "unpacking": ("A, LIMIT = 1, 30", "LIMIT", 30),
    "nested unpacking": ("(A, (B, LIMIT)) = 1, (2, 30)", "LIMIT", 30),
    "chained assignment": ("A = LIMIT = 30", "LIMIT", 30),
    "walrus": ("print(LIMIT := 30)", "LIMIT", 30),
    "conditional expression": ("LONG = True", "30 if LONG else 5", 30),
    "or": ("NOTHING = None", "NOTHING or 30", 30),
    "and": ("", "1 and 30", 30),
    "comparison": ("", "30 if 1 < 2 <= 2 else 5", 30),
    "membership": ("", "30 if 'a' in ('a', 'b') else 5", 30),
    "not": ("", "30 if not [] else 5", 30),
    "dict item": ("LIMITS = {'pay': 30}", "LIMITS['pay']", 30),
    "dict get": ("LIMITS = {'pay': 30}", "LIMITS.get('pay', 1)", 30),
    "dict get default": ("LIMITS = {}", "LIMITS.get('pay', 30)", 30),
    "dict built by items": ("LIMITS = {}\nLIMITS['pay'] = 30", "LIMITS['pay']", 30),
    "dict merge": ("A = {'x': 1}\nB = {**A, 'x': 30}", "B['x']", 30),
    "dict union": ("A = {'x': 1} | {'x': 30}", "A['x']", 30),
    "dict call": ("A = dict(x=30)", "A['x']", 30),
    "dict comprehension": ("A = {k: v * 10 for k, v in {'x': 3}.items()}", "A['x']", 30),
    "list item": ("A = [1, 30]", "A[1]", 30),
    "negative index": ("A = (1, 30)", "A[-1]", 30),
    "slice": ("A = (1, 30, 2)", "A[1:2][0]", 30),
    "int of text": ("", "int('30')", 30),
    "float": ("", "float('0.5')", 0.5),
    "max": ("", "max(10, 30)", 30),
    "min of list": ("", "min([30, 40])", 30),
    "sum": ("", "sum([10, 20])", 30),
    "len": ("", "len('abc') * 10", 30),
    "abs and round": ("", "abs(-round(29.6))", 30),
    "class attribute": ("class Limits:\n    pay = 30", "Limits.pay", 30),
    "inherited attribute": ("class A:\n    pay = 30\nclass B(A): ...", "B.pay", 30),
    "instance attribute": (
        "class Limits:\n    def __init__(self, pay):\n        self.pay = pay\nl = Limits(30)", "l.pay", 30),
    "property": ("class Limits:\n    @property\n    def pay(self):\n        return 30\nl = Limits()", "l.pay", 30),
    "dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass Limits:\n    pay: int = 30\nl = Limits()", "l.pay", 30),
    "dataclass, given": (
        "from dataclasses import dataclass\n@dataclass\nclass L:\n    a: int\n    pay: int = 1\nl = L(1, 30)",
        "l.pay", 30),
    "namedtuple style class": (
        "from typing import NamedTuple\nclass L(NamedTuple):\n    pay: int = 30\nl = L()", "l.pay", 30),
    "enum value": ("import enum\nclass L(enum.IntEnum):\n    PAY = 30", "L.PAY.value", 30),
    "function": ("def minutes(n):\n    return n * 60", "minutes(2)", 120),
    "function with default": ("def minutes(n=2, *, per=60):\n    return n * per", "minutes()", 120),
    "function with a branch": ("def pick(x):\n    if x:\n        return 30\n    return 5", "pick(True)", 30),
    "early return": ("def pick(x):\n    if not x:\n        return 5\n    y = x * 3\n    return y", "pick(10)", 30),
    "function with *args": ("def total(*n):\n    return sum(n)", "total(10, 20)", 30),
    "function with **kwargs": ("def get(**k):\n    return k['x']", "get(x=30)", 30),
    "lambda": ("f = lambda n: n * 10", "f(3)", 30),
    "closure": ("def outer(n):\n    def inner():\n        return n\n    return inner", "outer(30)()", 30),
    "loop": ("T = 0\nfor n in (10, 20):\n    T += n", "T", 30),
    "loop with break": ("for T in (30, 40):\n    break", "T", 30),
    "range": ("T = [n for n in range(31)]", "T[-1]", 30),
    "global": ("T = 1\ndef f():\n    global T\n    T = 30\nf()", "T", 30),
    "timedelta seconds": ("from datetime import timedelta", "timedelta(minutes=2).total_seconds()", 120.0),
    "timedelta attribute": ("from datetime import timedelta", "timedelta(minutes=2).seconds", 120),
    "typing.cast": ("from typing import cast", "cast(int, 30)", 30),
    "TYPE_CHECKING": ("from typing import TYPE_CHECKING\nT = 5 if TYPE_CHECKING else 30", "T", 30),
    "json": ("import json", "json.loads('{\"x\": 30}')['x']", 30),
    "literal_eval": ("import ast", "ast.literal_eval('30')", 30),
    "getattr": ("class L:\n    pay = 30", "getattr(L, 'pay', 5)", 30),
    "getattr default": ("class L:\n    other = 5", "getattr(L, 'pay', 30)", 30),
    "del": ("T = {'a': 5, 'b': 30}\ndel T['a']\nT = list(T.values())", "T[0]", 30),
    "with": ("import contextlib\nwith contextlib.suppress(ValueError):\n    T = 30", "T", 30),
    "text": ("", "'30'", "30"),
    "explicit None": ("", "None", None),
}  # fmt: skip


@pytest.mark.parametrize(("before", "value", "expected"), EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_a_value_is_what_python_would_make_of_it(tmp_path: Path, before: str, value: str, expected: Any) -> None:
    namespace: dict[str, Any] = {"__name__": "builtins"}
    exec(before, namespace)  # the table itself is checked against Python
    assert eval(value, namespace) == expected
    found = read(tmp_path, before, value).value("pay", "time_limit")
    assert found == expected
    assert type(found) is type(expected)


OTHER_OPTIONS: dict[str, tuple[str, str, str, Any]] = {
    "f-string": ("P = 'x'", "rate_limit", "f'{10}/{\"m\"}'", "10/m"),
    "concatenated": ("", "rate_limit", "'10' + '/m'", "10/m"),
    "formatted": ("", "rate_limit", "'%d/%s' % (10, 'm')", "10/m"),
    "format method": ("", "rate_limit", "'{}/m'.format(10)", "10/m"),
    "join": ("", "rate_limit", "'/'.join(['10', 'm'])", "10/m"),
    "upper": ("", "serializer", "'JSON'.lower()", "json"),
    "timedelta": ("from datetime import timedelta", "expires", "timedelta(hours=1)", 3600),
    "timedelta of days": ("from datetime import timedelta", "expires", "timedelta(1)", 86400),
    "not": ("DEBUG = False", "acks_late", "not DEBUG", True),
    "bool call": ("", "acks_late", "bool(1)", True),
    "builtin": ("", "autoretry_for", "(ValueError,)", ["builtins.ValueError"]),
    "alias of a builtin": ("", "autoretry_for", "(IOError,)", ["builtins.OSError"]),
    "list": ("", "autoretry_for", "[OSError, KeyError]", ["builtins.OSError", "builtins.KeyError"]),
    "outside class": ("import requests", "autoretry_for", "(requests.RequestException,)",
                      ["requests.exceptions.RequestException"]),
    "own class": ("class Gone(Exception): ...", "autoretry_for", "(Gone,)", ["shop.tasks.Gone"]),
    "tuple constant": ("RETRY = (OSError,)", "autoretry_for", "RETRY", ["builtins.OSError"]),
    "tuples added": ("A = (OSError,)", "autoretry_for", "A + (KeyError,)", ["builtins.OSError", "builtins.KeyError"]),
    "starred": ("A = (OSError,)", "autoretry_for", "(*A, KeyError)", ["builtins.OSError", "builtins.KeyError"]),
    "starred from a base class": ("class B:\n    retry = (OSError,)\nclass C(B):\n    pass", "autoretry_for",
                                  "(*C.retry, KeyError)", ["builtins.OSError", "builtins.KeyError"]),
    "class given bare": ("", "autoretry_for", "tuple([OSError])", ["builtins.OSError"]),
}  # fmt: skip


@pytest.mark.parametrize(("before", "option", "value", "expected"), OTHER_OPTIONS.values(), ids=OTHER_OPTIONS.keys())
def test_text_durations_and_exceptions(tmp_path: Path, before: str, option: str, value: str, expected: Any) -> None:
    assert read(tmp_path, before, value, option).value("pay", option) == expected


ELSEWHERE: dict[str, tuple[str, str, dict[str, str]]] = {
    "imported name": ("from shop.limits import LIMIT", "LIMIT", {"limits": "LIMIT = 30\n"}),
    "imported module": ("from shop import limits", "limits.LIMIT", {"limits": "LIMIT = 30\n"}),
    "imported as": ("import shop.limits as l", "l.LIMIT", {"limits": "LIMIT = 30\n"}),
    "dotted": ("import shop.limits", "shop.limits.LIMIT", {"limits": "LIMIT = 30\n"}),
    "relative": ("from . import limits", "limits.LIMIT", {"limits": "LIMIT = 30\n"}),
    "relative name": ("from .limits import LIMIT", "LIMIT", {"limits": "LIMIT = 30\n"}),
    "re-exported": ("from shop.a import LIMIT", "LIMIT", {"a": "from shop.b import LIMIT\n", "b": "LIMIT = 30\n"}),
    "re-exported by a package": (
        "from shop.conf import LIMIT", "LIMIT",
        {"conf/__init__": "from .limits import LIMIT\n", "conf/limits": "LIMIT = 30\n"}),
    "star": ("from shop.a import *", "LIMIT", {"a": "LIMIT = 30\n"}),
    "star with __all__": ("LIMIT = 30\nfrom shop.a import *", "LIMIT", {"a": "__all__ = ['A']\nLIMIT = 5\nA = 1\n"}),
    "star hides earlier": ("LIMIT = 5\nfrom shop.a import *", "LIMIT", {"a": "LIMIT = 30\n"}),
    "class of another module": ("from shop.a import L", "L.pay", {"a": "class L:\n    pay = 30\n"}),
    "function of another module": ("from shop.a import f", "f(3)", {"a": "BY = 10\ndef f(n):\n    return n * BY\n"}),
    "in a function": (
        "def f():\n    from shop.a import LIMIT\n    return LIMIT", "f()", {"a": "LIMIT = 30\n"}),
    "circular": ("from shop.a import LIMIT", "LIMIT", {"a": "LIMIT = 30\nfrom shop.tasks import pay\n"}),
    "module __getattr__": (
        "from shop import a", "a.LIMIT", {"a": "def __getattr__(name):\n    return 30\n"}),
    "import_string": ("from django.utils.module_loading import import_string", "import_string('shop.a.LIMIT')",
                      {"a": "LIMIT = 30\n"}),
    "import_module": ("import importlib", "importlib.import_module('shop.a').LIMIT", {"a": "LIMIT = 30\n"}),
    "fallback import": ("try:\n    from shop.missing import LIMIT\nexcept ImportError:\n    from shop.a import LIMIT",
                        "LIMIT", {"a": "LIMIT = 30\n"}),
    "import succeeds": ("try:\n    from shop.a import LIMIT\nexcept ImportError:\n    LIMIT = 5",
                        "LIMIT", {"a": "LIMIT = 30\n"}),
}  # fmt: skip


@pytest.mark.parametrize(("before", "value", "modules"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_values_of_other_modules(tmp_path: Path, before: str, value: str, modules: dict[str, str]) -> None:
    assert read(tmp_path, before, value, **modules).value("pay", "time_limit") == 30


SPREAD = {
    "module dict": "OPTIONS = {'time_limit': 30, 'acks_late': True}\n@app.task(**OPTIONS)\n",
    "several merged": "A = {'time_limit': 5}\nB = {'time_limit': 30, 'acks_late': True}\n@app.task(**{**A, **B})\n",
    "two spreads": "A = {'time_limit': 30}\nB = {'acks_late': True}\n@app.task(**A, **B)\n",
    "spread and keyword": "A = {'time_limit': 30}\n@app.task(acks_late=True, **A)\n",
    "function": "def options():\n    return {'time_limit': 30, 'acks_late': True}\n@app.task(**options())\n",
    "updated": "A = {'time_limit': 5}\nA.update(time_limit=30, acks_late=True)\n@app.task(**A)\n",
    "class attribute": "class O:\n    o = {'time_limit': 30, 'acks_late': True}\n@app.task(**O.o)\n",
    "copied": "A = {'time_limit': 30}\nB = A.copy()\nB['acks_late'] = True\n@app.task(**B)\n",
}


@pytest.mark.parametrize("source", SPREAD.values(), ids=SPREAD.keys())
def test_options_from_dicts(tmp_path: Path, source: str) -> None:
    tasks = f"from shop.celery import app\n{source}def pay(): ...\n"
    reading = facts_of(tmp_path, {**APP, "shop/tasks.py": tasks})
    assert reading.values("pay", "time_limit", "acks_late") == (30, True)
    assert reading.task("pay")["unknown_options"] == []


def test_a_dict_that_is_not_known_leaves_open_what_is_not_stated_beside_it(tmp_path: Path) -> None:
    tasks = (
        "from shop.celery import app\nfrom lost import OPTIONS\n@app.task(time_limit=30, **OPTIONS)\ndef pay(): ...\n"
    )
    reading = facts_of(tmp_path, {**APP, "shop/tasks.py": tasks})
    assert reading.values("pay", "time_limit", "acks_late") == (30, Unread("OPTIONS"))


UNREADABLE: dict[str, tuple[str, str, str]] = {
    "undefined name": ("", "LIMIT", "LIMIT"),
    "outside constant": ("from lost import LIMIT", "LIMIT", "lost.LIMIT"),
    "outside call": ("import lost", "lost.limit(3)", "lost.limit(...)"),
    "random": ("import random", "random.randint(1, 9)", "random.randint(...)"),
    "file": ("", "int(open('limit').read())", "open()"),
    "missing key": ("A = {'x': 1}", "A['pay']", "A['pay']"),
    "missing index": ("A = [1]", "A[5]", "A[5]"),
    "missing attribute": ("class A: ...", "A.pay", "A.pay"),
    "module without the name": ("from shop import celery as c", "c.LIMIT", "c.LIMIT"),
    "await": ("", "(yield)", "(yield)"),
    "request of a database": ("from shop.models import Limit", "Limit.objects.get(pk=1).value", "objects"),
    "division by zero": ("", "1 / 0", "1 / 0"),
    "text plus number": ("", "'1' + 1", "'1' + 1"),
}


@pytest.mark.parametrize(("before", "value", "blocker"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_unknown_and_names_what_blocked(
    tmp_path: Path, before: str, value: str, blocker: str
) -> None:
    found = read(tmp_path, before, value).value("pay", "time_limit")
    assert isinstance(found, Unread), found
    assert blocker in found.blocker
