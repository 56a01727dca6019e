"""Any bytes and any module through the whole engine: no exception, and the same answer every time and by every way."""

# ruff: noqa: E501  # source texts stay on one line

from __future__ import annotations

import ast
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecelery.cli.main import safecelery
from safecelery.lint.config import LintConfig
from safecelery.lint.engine import facts, lint
from safecelery.lint.finding import LintResult
from tests.property.task_strategies import configurations, declarations

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def written(folder: str, files: dict[str, bytes]) -> Path:
    root = Path(folder) / "tree"
    for name, raw in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    return root


def answer(result: LintResult) -> tuple[Any, ...]:
    """All of a result but the time it took."""
    return result.findings, result.undecided, result.suppressed, result.unread, result.tasks, result.notes


def read_every_way(files: dict[str, bytes]) -> LintResult:
    """Lint and read the facts twice: without a cache, filling one, from it."""
    with TemporaryDirectory() as folder:
        root = written(folder, files)
        plain = LintConfig(cache=False, jobs=1, root=root, include_tests=True)
        cached = LintConfig(cache_dir=Path(folder) / "cache", jobs=1, root=root, include_tests=True)
        results = [lint([str(root)], config) for config in (plain, plain, cached, cached)]
        assert all(answer(result) == answer(results[0]) for result in results)
        documents = [facts([str(root)], config) for config in (plain, cached)]
        assert documents[0] == documents[1]
        return results[0]


# --- bytes ------------------------------------------------------------------------------------------------------------

NAMES = ["shop/tasks.py", "shop/celery.py", "settings.py", "Dockerfile", "docker-compose.yml", "requirements.txt"]


@SETTINGS
@given(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=300), min_size=1, max_size=3))
def test_any_bytes(files: dict[str, bytes]) -> None:
    read_every_way({name: b"# celery\n" + raw for name, raw in files.items()})


@SETTINGS
@given(st.text(max_size=200), st.sampled_from(NAMES))
def test_any_text(text: str, name: str) -> None:
    read_every_way({name: f"from celery import shared_task\n{text}".encode("utf-8", "surrogatepass")})


# --- modules ----------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "app",
        "conf",
        "task",
        "x",
        "f",
        "self",
        "os",
        "settings",
        "time_limit",
        "Celery",
        "shared_task",
        "CELERY_X",
        "environ",
    ]
)
ATOMS = st.one_of(
    WORDS, st.sampled_from(["1", "-1", "None", "True", "'x'", "''", "1e309", "...", "b'x'", "10**30", "[]", "{}", "()"])
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{}.{}".format, WORDS, WORDS),
        st.builds("{}({})".format, WORDS, inner),
        st.builds("{}({}={})".format, WORDS, WORDS, inner),
        st.builds("{}(*{}, **{})".format, WORDS, inner, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({})[{}:{}]".format, inner, inner, inner),
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(
                ["+", "-", "*", "/", "//", "%", "**", "|", "&", "<<", "@", "==", "<", "in", "is", "and", "or"]
            ),
            inner,
        ),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{}, *{}]".format, inner, inner),
        st.builds("{{**{}, 'k': {}}}".format, inner, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
        st.builds("[{} for {} in {} if {}]".format, inner, WORDS, inner, inner),
        st.builds("(lambda {}: {})".format, WORDS, inner),
        st.builds("f'{{{}}}'".format, WORDS),
        st.builds("(not {})".format, inner),
        st.builds("getattr({}, {}, {})".format, inner, inner, inner),
        st.builds("int({})".format, inner),
    ),
    max_leaves=6,
)


def indented(lines: list[str]) -> str:
    return "\n".join("    " + line for text in lines for line in text.split("\n"))


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(indented)
    return st.one_of(
        st.builds("if {}:\n{}\nelse:\n{}".format, EXPRESSIONS, body, body),
        st.builds("for {} in {}:\n{}".format, WORDS, EXPRESSIONS, body),
        st.builds("while {}:\n{}".format, EXPRESSIONS, body),
        st.builds("try:\n{}\nexcept {}:\n{}\nfinally:\n{}".format, body, WORDS, body, body),
        st.builds("with {} as {}:\n{}".format, EXPRESSIONS, WORDS, body),
        st.builds("def {}(x, *a, k={}, **o):\n{}".format, WORDS, EXPRESSIONS, body),
        st.builds("@{}\ndef {}(x=1):\n{}".format, EXPRESSIONS, WORDS, body),
        st.builds("class {}({}):\n{}".format, WORDS, WORDS, body),
        st.builds("match {}:\n    case 1:\n        x = 1\n    case _:\n        {} = 2".format, EXPRESSIONS, WORDS),
    )


STATEMENTS = st.recursive(
    st.one_of(
        st.builds("{} = {}".format, WORDS, EXPRESSIONS),
        st.builds("{}.{} = {}".format, WORDS, WORDS, EXPRESSIONS),
        st.builds("{}[{}] = {}".format, WORDS, EXPRESSIONS, EXPRESSIONS),
        st.builds("{}, *{} = {}".format, WORDS, WORDS, EXPRESSIONS),
        st.builds("{} += {}".format, WORDS, EXPRESSIONS),
        st.builds("{}: {} = {}".format, WORDS, WORDS, EXPRESSIONS),
        st.builds("app.conf.update({})".format, EXPRESSIONS),
        st.builds("app.config_from_object({})".format, EXPRESSIONS),
        st.builds("app.conf.{} = {}".format, WORDS, EXPRESSIONS),
        st.builds("{}.apply_async({})".format, WORDS, EXPRESSIONS),
        st.builds("from {} import {}".format, WORDS, WORDS),
        st.builds("from . import {}".format, WORDS),
        st.builds("import {}".format, WORDS),
        st.builds("del {}".format, WORDS),
        EXPRESSIONS,
        st.sampled_from(["pass", "raise ValueError", "from celery import *", "global x"]),
    ),
    _blocks,
    max_leaves=6,
)
HEAD = "from celery import Celery, shared_task, Task\nimport os\napp = Celery('x')\n"


@SETTINGS
@given(st.lists(STATEMENTS, max_size=6), st.lists(STATEMENTS, max_size=3))
def test_any_module(first: list[str], second: list[str]) -> None:
    tail = "\n@app.task(time_limit=x)\ndef sure(): ...\n"
    read_every_way(
        {
            "shop/tasks.py": (HEAD + "\n".join(first) + tail).encode(),
            "shop/app.py": (HEAD + "\n".join(second)).encode(),
            "x.py": "\n".join(second).encode(),
        }
    )


@SETTINGS
@given(declarations(), configurations(), st.randoms(use_true_random=False))
def test_a_real_looking_module_with_parts_swapped(declaration: Any, configuration: str, chance: random.Random) -> None:
    tree = ast.parse(f"{HEAD}from celery import Task as Root\n{configuration}{declaration.source}")
    places = [
        (node, name) for node in ast.walk(tree) for name, value in ast.iter_fields(node) if isinstance(value, ast.expr)
    ]
    values = [getattr(node, name) for node, name in places]
    for _ in range(3):
        node, name = chance.choice(places)
        other = chance.choice(values)
        if not any(part is node for part in ast.walk(other)):
            setattr(node, name, other)
    try:
        source = ast.unparse(tree)
        ast.parse(source)
    except (SyntaxError, ValueError, TypeError, AttributeError):
        return  # parts that do not fit there, such as a number for a decorator's keyword
    read_every_way({"shop/tasks.py": source.encode()})


# --- processes and the command ------------------------------------------------------------------------------------------

PROJECT = {
    **{
        f"shop/jobs{n}.py": f"from shop.app import app\n@app.task(time_limit={n})\ndef job{n}(): ...\n".encode()
        for n in range(40)
    },
    "shop/__init__.py": b"",
    "shop/app.py": b"from celery import Celery\napp = Celery('shop')\napp.conf.task_acks_late = True\n",
    "shop/bad.py": b"from celery import shared_task\n@shared_task(\n",
}


@pytest.mark.parametrize("jobs", [0, 2])
def test_one_process_and_two_say_the_same(tmp_path: Path, jobs: int) -> None:
    root = written(str(tmp_path), PROJECT)
    one = lint([str(root)], LintConfig(cache=False, jobs=1, root=root))
    two = lint([str(root)], LintConfig(cache=False, jobs=jobs, root=root))
    assert answer(one) == answer(two)
    assert len(one.tasks) == 40


@settings(max_examples=25, deadline=None)
@given(st.one_of(st.binary(max_size=200), declarations().map(lambda d: d.source.encode())))
def test_the_command_ends_with_0_1_or_2_and_no_traceback(raw: bytes) -> None:
    with TemporaryDirectory() as folder:
        root = written(folder, {"shop/tasks.py": b"from celery import Celery\napp = Celery('x')\n" + raw})
        result = CliRunner().invoke(safecelery, ["lint", str(root), "--no-cache"])
    assert result.exit_code in (0, 1, 2)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
