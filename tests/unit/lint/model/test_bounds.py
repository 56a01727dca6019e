"""Code that would run for ever, or nest without end: reading it ends soon, raises nothing, and keeps what is sure."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, Unread, facts_of, lint_of

TASK = "@app.task(time_limit={})\ndef pay(): ...\n"
IMPORT = "from shop.celery import app\n"
ENDLESS = {
    "recursion": ("def f(n):\n    return f(n + 1)\n", "f(0)"),
    "mutual recursion": ("def f(n):\n    return g(n)\ndef g(n):\n    return f(n)\n", "f(0)"),
    "while true": ("n = 0\nwhile True:\n    n += 1\n", "n"),
    "while true in a function": ("def f():\n    n = 0\n    while True:\n        n += 1\n    return n\n", "f()"),
    "exponential": ("def f(n):\n    return f(n - 1) + f(n - 1)\n", "f(200)"),
    "doubling text": ("s = 'x'\nfor i in range(200):\n    s = s + s\n", "len(s)"),
    "doubling list": ("s = [1]\nfor i in range(200):\n    s = s + s\n", "len(s)"),
    "power tower": ("", "9 ** 9 ** 9 ** 9"),
    "shift": ("", "1 << 10 ** 12"),
    "repeat": ("", "len('x' * 10 ** 12)"),
    "long range": ("", "sum([1 for i in range(10 ** 9)])"),
    "nested loops": (
        "n = 0\nfor a in range(250):\n for b in range(250):\n  for c in range(250):\n   n += 1\n", "n"),
    "self-import": ("from shop.tasks import T as T\n", "T"),
    "refers to itself": ("class A:\n    x = A.x\n", "A.x"),
    "inherits itself": ("class A(A): ...\n", "A.x"),
    "list in itself": ("a = []\na.append(a)\n", "a[0]"),
    "dict in itself": ("a = {}\na['a'] = a\n", "a"),
    "decorator of itself": ("@f\ndef f(g):\n    return f(g)\n", "f(f)"),
    "format width": ("", "len('%0999999999d' % 3)"),
    "huge number": ("", "int('9' * 5000)"),
    "property of itself": ("class A:\n    @property\n    def x(self):\n        return self.x\n", "A().x"),
    "getattr of the module": ("def __getattr__(name):\n    return __getattr__(name)\n", "nothing"),
    "generator of itself": ("a = (a for a in a)\n", "a"),
    "lambda of itself": ("f = lambda n: f(n)\n", "f(1)"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "value"), ENDLESS.values(), ids=ENDLESS.keys())
def test_reading_ends_and_the_value_is_unknown(tmp_path: Path, before: str, value: str) -> None:
    source = f"{IMPORT}{before}{TASK.format(value)}@app.task(time_limit=5)\ndef other(): ...\n"
    start = time.process_time()
    reading = facts_of(tmp_path, {**APP, "shop/tasks.py": source})
    assert time.process_time() - start < 3
    assert isinstance(reading.value("pay", "time_limit"), Unread)
    assert reading.value("other", "time_limit") == 5


NESTED = {
    "brackets": "x = " + "(" * 150 + "1" + ")" * 150 + "\n",
    "lists": "x = " + "[" * 90 + "]" * 90 + "\n",
    "additions": "x = " + "+".join(["1"] * 3000) + "\n",
    "attributes": "x = a" + ".b" * 3000 + "\n",
    "calls": "x = a" + "()" * 900 + "\n",
    "unary": "x = " + "-" * 900 + "1\n",
    "ifs": "".join(f"{' ' * n}if a:\n" for n in range(90)) + " " * 90 + "x = 1\n",
    "elifs": "if a:\n    x = 1\n" + "".join(f"elif a > {n}:\n    x = {n}\n" for n in range(900)),
    "functions": "".join(f"{' ' * n}def f():\n" for n in range(90)) + " " * 90 + "x = 1\n",
    "literal": "x = {" + ", ".join(f"'k{n}': {n}" for n in range(20_000)) + "}\n",
    "text": "x = '" + "x" * 500_000 + "'\n",
    "digits": "x = " + "9" * 4000 + "\n",
    "lambdas": "x = " + "lambda: " * 80 + "1\n",
    "decorators": "".join("@app.task\n" for _ in range(200)) + "def x(): ...\n",
}


@pytest.mark.parametrize("source", NESTED.values(), ids=NESTED.keys())
def test_deep_and_huge_code_is_read_or_reported(tmp_path: Path, source: str) -> None:
    files = {**APP, "shop/tasks.py": f"{IMPORT}{TASK.format(5)}{source}"}
    start = time.process_time()
    result = lint_of(tmp_path, files, select=("SFC401",))
    assert time.process_time() - start < 5
    assert {row.name for row in result.tasks} >= {"shop.tasks.pay"} or result.unread


def test_one_module_that_takes_too_long_does_not_stop_the_others(tmp_path: Path) -> None:
    slow = "def f(n):\n    return f(n - 1) + f(n - 1)\n" + "".join(f"x{n} = f({n})\n" for n in range(50))
    files = {**APP, "shop/slow.py": f"{IMPORT}{slow}", "shop/tasks.py": IMPORT + TASK.format(5)}
    assert facts_of(tmp_path, files).value("pay", "time_limit") == 5


def test_a_module_that_takes_too_long_is_given_up_and_reported(tmp_path: Path) -> None:
    loops = "def f(n):\n    for a in range(200):\n        for b in range(200):\n            n += a * b\n"
    slow = loops + "".join(f"print(f({n}))\n" for n in range(200))
    files = {**APP, "shop/slow.py": f"{IMPORT}{slow}", "shop/tasks.py": IMPORT + TASK.format(5)}
    reading = facts_of(tmp_path, files)
    assert [part["file"] for part in reading.document["unparsed"]] == ["shop/slow.py"]
    assert reading.value("pay", "time_limit") == 5


UNPARSABLE = {
    "unfinished": b"from celery import shared_task\n@app.task(\ndef pay(: ...\n",
    "null byte": b"from celery import shared_task\0\n@shared_task\ndef pay(): ...\n",
    "no utf-8": b"from celery import shared_task\n@shared_task\ndef pay():\n    return '\xff\xfe'\n",
    "unknown encoding": b"# coding: klingon\nfrom celery import shared_task\n@shared_task\ndef pay(): ...\n",
    "template": b"from celery import shared_task\n{% if x %}\n@shared_task\ndef pay(): ...\n{% endif %}\n",
    "python 2": b"from celery import task\n@task\ndef pay():\n    print 'x'\n",
}


@pytest.mark.parametrize("raw", UNPARSABLE.values(), ids=UNPARSABLE.keys())
def test_a_file_that_cannot_be_parsed_is_reported_or_read_in_part(tmp_path: Path, raw: bytes) -> None:
    files: dict[str, str | bytes] = {**APP, "shop/bad.py": raw, "shop/tasks.py": IMPORT + TASK.format(5)}
    reading = facts_of(tmp_path, files)
    assert "shop.tasks.pay" in reading.names
    reported = [part["file"] for part in reading.document["unparsed"]]
    assert "shop/bad.py" in reported or "shop.bad.pay" in reading.names
    result = lint_of(tmp_path, files, select=("SFC401",))
    assert any(part.path.endswith("bad.py") for part in result.unread) or "shop.bad.pay" in reading.names


def test_syntax_newer_than_the_host_is_read(tmp_path: Path) -> None:
    body = "    try:\n        pass\n    except A, B:\n        pass\n"
    source = f"from celery import shared_task\n@shared_task(time_limit=5)\ndef pay():\n{body}"
    reading = facts_of(tmp_path, {**APP, "shop/tasks.py": source})
    assert reading.value("pay", "time_limit") == 5
