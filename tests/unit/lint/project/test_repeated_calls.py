"""``logger = setup_logger()`` in every module: followed once, and no app or task is lost by that."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery.lint.model.calls import Caller
from tests.unit.lint.project.readings import APP, facts_of

MAKING = (
    "from celery import Celery\n"
    "from shop.celery import app\n"
    "def setup_logger(name=None, level=3):\n"
    "    return name, level\n"
    "def make(name=None):\n"
    "    other = Celery(name or 'other')\n"
    "    @other.task(name=f'{name}.work')\n"
    "    def work(): ...\n"
    "    return other\n"
    "def declare(name, really=True):\n"
    "    if really:\n"
    "        app.task(name=name)(lambda: None)\n"
)


def names(tmp_path: Path, **modules: str) -> list[str]:
    files = {f"shop/{name}.py": f"from shop.making import *\nimport celery\n{text}" for name, text in modules.items()}
    return sorted(facts_of(tmp_path, {**APP, "shop/making.py": MAKING, **files}).names)


def written(call: str, *args: str) -> dict[str, str]:
    return {
        f"m{number}": f"from shop.making import setup_logger, make, declare\nx = {call.format(arg)}\n"
        for number, arg in enumerate(args)
    }


@pytest.mark.parametrize("call", ["setup_logger()", "setup_logger(__name__)", "setup_logger('a', level=2)"])
def test_a_call_from_which_nothing_was_learned_is_followed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    followed: list[str] = []
    invoke = Caller.invoke
    monkeypatch.setattr(
        Caller, "invoke", lambda self, function, *a: (followed.append(function.name), invoke(self, function, *a))[1]
    )
    names(tmp_path, **written(call, *"abcdef"))
    assert followed.count("setup_logger") == 1


def test_other_arguments_are_another_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[str] = []
    invoke = Caller.invoke
    monkeypatch.setattr(
        Caller, "invoke", lambda self, function, *a: (followed.append(function.name), invoke(self, function, *a))[1]
    )
    names(tmp_path, **written("setup_logger({})", "1", "True", "'1'", "level=1", "1", "b"))
    assert followed.count("setup_logger") == 5


def test_every_app_that_is_made_is_found(tmp_path: Path) -> None:
    assert names(tmp_path, **written("make({})", "'a'", "'a'", "'b'", "'c'")) == ["a.work", "b.work", "c.work"]


def test_every_task_that_is_declared_is_found(tmp_path: Path) -> None:
    found = names(tmp_path, **written("declare({})", "'a', False", "'a'", "'b', really=False", "'b'", "'c'"))
    assert [name for name in found if "." not in name] == ["a", "b", "c"]


def test_a_value_that_is_needed_is_there(tmp_path: Path) -> None:
    """The second module's call was not followed for its own sake."""
    files = {f"shop/m{n}.py": "from shop.making import setup_logger\nlimits = setup_logger('x', 9)\n" for n in (1, 2)}
    files["shop/z.py"] = (
        "from shop.celery import app\nfrom shop.m2 import limits\n@app.task(time_limit=limits[1])\ndef pay(): ...\n"
    )
    assert facts_of(tmp_path, {**APP, "shop/making.py": MAKING, **files}).value("pay", "time_limit") == 9
