"""What a site says about itself, which functions are looked at, and that no source makes the detectors fail."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import safecelery
from safecelery.lint.code import ANYWHERE, detect
from safecelery.policy.kinds import KINDS


def sites_in(source: str) -> list[dict[str, Any]]:
    return detect(ast.parse(source), source)


def kinds_in(source: str) -> set[str]:
    return {site["kind"] for site in sites_in(source)}


SLEEP = "import time\n\n{head}    time.sleep(5)\n"


def test_a_site_tells_where_it_is_and_which_function_it_is_in() -> None:
    source = "import time\n\n\n@app.task\n@measured\ndef work() -> None:\n    x = 'é'; time.sleep(5)\n"
    assert sites_in(source) == [
        {
            "kind": "sleep-in-task",
            "line": 7,
            "column": 14,
            "detail": "time.sleep() holds the worker's slot",
            "certain": True,
            "function": 4,
            "class": "",
        }
    ]


def test_sites_are_ready_for_json_in_order_and_of_known_kinds() -> None:
    source = SLEEP.format(head="@app.task\ndef work(order, items=[]):\n") + "    work.delay(set())\n"
    found = sites_in(source)
    assert json.loads(json.dumps(found)) == found
    assert [site["line"] for site in found] == sorted(site["line"] for site in found)
    assert {site["kind"] for site in found} <= set(KINDS)


@pytest.mark.parametrize(
    "head",
    [
        "@app.task\ndef work():\n",
        "@app.task\nasync def work():\n",
        "@retrying(times=3)\ndef work():\n",
        "if DEBUG:\n  @app.task\n  def work():\n",
        "def make(app):\n  @app.task\n  def work():\n",
        "class Work(Task):\n  def run(self):\n",
        "class Work(Task):\n  def run(self): ...\n  def helper(self):\n",
        "app.task(work)\ndef work():\n",
    ],
)
def test_whatever_may_be_a_task_is_looked_at(head: str) -> None:
    assert kinds_in(SLEEP.format(head=head)) == {"sleep-in-task"}


@pytest.mark.parametrize(
    "head",
    [
        "def work():\n",
        "class Work:\n  def run(self):\n",
        "class Work(Task):\n  def call(self):\n",
        "class Work:\n  @property\n  def size(self):\n",
        "@pytest.fixture\ndef work():\n",
        "@whatever\ndef test_work():\n",
    ],
)
def test_what_is_no_task_is_not_looked_at(head: str) -> None:
    assert kinds_in(SLEEP.format(head=head)) == set()


def test_a_task_inside_of_a_function_is_told_by_its_own_line() -> None:
    [site] = sites_in(SLEEP.format(head="def make(app):\n  @app.task\n  def work():\n"))
    assert (site["line"], site["function"]) == (6, 4)


def test_a_task_inside_of_a_sender_is_told_once() -> None:
    source = "def make(a, request):\n  @a.task\n  def b():\n    c.delay(request.user)\n  b.delay(request.user)\n"
    assert [(site["line"], site["function"]) for site in sites_in(source)] == [(4, 2), (5, 1)]


def test_one_argument_may_be_two_mistakes() -> None:
    found = kinds_in("def view(request):\n  token = Token.objects.get(a=1)\n  work.delay(token)\n")
    assert found == {"model-instance-as-argument", "secret-as-argument"}


def test_a_method_names_its_class() -> None:
    [site] = sites_in(SLEEP.format(head="class Work(Task):\n  def run(self):\n"))
    assert (site["class"], site["function"]) == ("Work", 4)


def test_only_kinds_of_senders_count_in_a_plain_function() -> None:
    source = "import time\n\ndef view(request):\n    time.sleep(5)\n    work.delay(request.user)\n"
    assert kinds_in(source) == {"model-instance-as-argument"}
    assert "model-instance-as-argument" in ANYWHERE


def test_names_mean_what_the_imports_say() -> None:
    task = "@app.task\ndef work(url: str):\n    "
    assert kinds_in("import requests as r\n\n" + task + "r.get(url)\n") == {"http-without-timeout"}
    assert kinds_in("from requests import get as fetch\n\n" + task + "fetch(url)\n") == {"http-without-timeout"}
    assert kinds_in(task + "from requests import get\n    get(url)\n") == {"http-without-timeout"}
    assert kinds_in("from .http import requests\n\n" + task + "requests.get(url)\n") == set()
    assert kinds_in(task + "requests.get(url)\n") == set()


def test_every_kind_of_senders_is_a_kind() -> None:
    assert set(KINDS) >= ANYWHERE


@pytest.mark.parametrize(
    "source",
    [
        "",
        "if a:\n  pass\n" + "elif b:\n  pass\n" * 1500,
        "@app.task\ndef f(x):\n    return " + " + ".join(["x"] * 900) + "\n",
        "@app.task\ndef f(x):\n    import os\n    os.system(" + " + ".join(["x"] * 900) + ")\n",
        "@app.task\ndef f(x):\n    y = x\n    x = y\n    y = x\n    x.delay(y, x)\n",
        "@app.task\ndef f(x, *, y=None, **k):\n    x.delay(**{**k, 'a': 1})\n    f.apply_async(*k, **k)\n",
        "@app.task\ndef f(x):\n    match x:\n        case {'a': 1, **rest} | [*_] | None | P(b=2): pass\n",
        "@app.task\ndef f(x):\n    " + "x." * 400 + "delay(x)\n",
        "@(lambda f: f)\ndef f(x): (yield x.delay()).get()\n",
        "@app.task\nclass X(object):\n    def run(self): global a; a = 1\n",
        "x = x = x\nx: int\n\n@app.task\ndef f(): x[0] = x.get(x)\n",
    ],
)
def test_odd_source_gives_an_answer(source: str) -> None:
    assert isinstance(sites_in(source), list)


def test_the_sources_of_this_package_give_answers_too() -> None:
    files = sorted(Path(safecelery.__file__).parent.rglob("*.py"))
    assert len(files) > 50
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert all(site["kind"] in KINDS for site in sites_in(text)), file
