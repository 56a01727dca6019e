"""Any bytes in any file the linter reads: it ends with 0, 1 or 2, says so in words, and is done soon.

``LINT_FUZZ=5000 pytest tests/property/test_lint_fuzz.py`` tries that many inputs; ``LINT_FUZZ_FROM`` begins at another.
Each input is made from its number alone, so the number in a failure is all that it takes to see it again.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from safecelery.cli.main import safecelery
from safecelery.lint.config.model import OUTPUT_FORMATS
from safecelery.lint.source.folder import read_own, write_own

INPUTS = int(os.environ.get("LINT_FUZZ", "120"))
FIRST = int(os.environ.get("LINT_FUZZ_FROM", "0"))
BATCHES = 8
LONGEST_S = 15.0

TASKS = """\
import os
from celery import Celery, shared_task, group
from .base import Base, LIMITS
app = Celery("shop", broker=os.environ.get("BROKER", "redis://u:p@h/0"), task_cls=Base)
app.conf.update(task_time_limit=30, beat_schedule={"x": {"task": "shop.tasks.charge", "schedule": 30.0}})
app.conf.task_routes = ({"shop.*": {"queue": "q"}},)

class Retry(app.Task):
    autoretry_for = (Exception,)
    retry_kwargs = {"max_retries": 3}

@app.task(bind=True, base=Retry, **LIMITS, time_limit=60 * 60)  # safecelery: ignore[SFC401] a reason
def charge(self, order: int, *, x=[], **kw):
    try:
        refund.apply_async((order,), countdown=5, retry=True, serializer="pickle")
    except (OSError, ValueError) as error:
        raise self.retry(exc=error, countdown=2 ** self.request.retries)
    match order:
        case {"a": [1, *rest]} if (y := rest): return f"{y!r:>{10}}"

@shared_task(ignore_results=True, acks_late=not False)
async def refund(order): return [z async for z in order if await z]
"""
PYPROJECT = (
    '[tool.safecelery]\npolicy = "strict"\nselect = ["SFC4"]\n[project]\ndependencies = ["celery[redis]>=5,<6"]\n'
)
COMPOSE = (
    "services:\n  worker: &w\n    image: x\n    command: [celery, -A, shop, worker, -P, gevent]\n  beat:\n    <<: *w\n"
)
BASELINE = '{"schema": 1, "findings": [\n{"path": "a.py", "code": "SFC401", "subject": "s", "message": "m", "fingerprint": "f", "line": 1}\n]}\n'  # noqa: E501
SETTINGS = (
    "from .base import *\nCELERY_TASK_TIME_LIMIT = env.int('X', default=30)\nINSTALLED_APPS += ['shop']\nDEBUG = 1\n"
)

#: Files by name, each with something that means something, for changes to begin from.
FILES: dict[str, str] = {
    "shop/tasks.py": TASKS,
    "shop/__init__.py": "from .tasks import *\n__all__ = ['app']\n",
    "shop/base.py": "from celery import Task\nLIMITS = {'soft_time_limit': 50}\nclass Base(Task): abstract = True\n",
    "shop/settings.py": SETTINGS,
    "celeryconfig.py": "task_serializer = 'json'\naccept_content = {'json'}\nbroker_url = 'sqs://'\n",
    "Dockerfile": 'FROM python:3\nARG X=1\nUSER root\nCMD ["celery", "-A", "shop", "worker"]\nRUN <<EOF\ncelery\nEOF\n',
    "docker-compose.yml": COMPOSE,
    "k8s/deployment.yaml": "kind: Deployment\nspec: {template: {spec: {containers: [{args: [celery, worker]}]}}}\n",
    "Procfile": "worker: celery -A shop worker --concurrency=$X -l info\n",
    "worker.service": "[Service]\nUser=root\nExecStart=/bin/celery -A shop worker \\\n  -c 4\n",
    "supervisord.conf": "[program:w]\ncommand=celery -A shop worker -n %(ENV_X)s\n",
    "entrypoint.sh": "#!/bin/sh\nif [ $1 ]; then exec celery -A shop ${CMD:-worker} -Q a,b; fi\n",
    "requirements.txt": "celery[redis]==5.2.0 ; python_version>'3'  # why\n-r more.txt\nkombu~=5.0\n",
    "poetry.lock": '[[package]]\nname = "celery"\nversion = "4.4.0"\n',
    "setup.cfg": "[options]\ninstall_requires =\n    celery>=4\n",
    "setup.py": "from setuptools import setup\nsetup(install_requires=['celery>=4'])\n",
    "pyproject.toml": PYPROJECT,
    "safecelery.toml": 'policy = "baseline"\n',
    "own.toml": 'name = "own"\nextends = "baseline"\n[limits]\nmax_time_limit_s = 60\n[rules]\nsigning-off = "off"\n',
    "known.json": BASELINE,
    "trust.toml": '[keys.a]\nowner = "web"\nsend = ["*"]\n',
}
PIECES = [
    *"()[]{}:,;=@*#\"'\\\n\t \0$%&|<>~^`", "    ", "\r\n", "\f", "\ufeff", "é", "\u2028", "\U0001f600", "'''", '"""',
    "f'{", "lambda: ", "def ", "class ", "async ", "await ", "match ", "case ", "import ", "from . import *\n", "**",
    "->", ":=", "app.task", "@shared_task", "celery", "time_limit=", "1e999", "9" * 5000, "0x", "1_", "None", "...",
    "-1", "5" * 30, "# safecelery: ignore[", "# safecelery: ignore-file[SFC4] x\n", "${", "$(", "{{", "}}", "%(", "<<",
    "- ", "? ", "!!python/x", "&a ", "*a", "[[", "]]", "x.y.", "x" * 3000, "[" * 300, "(" * 300, "-" * 300,
    "not " * 200, "a." * 400, "\n" * 50, " ** 9 ** 9 ** 9", " * 10 ** 12", "%999999999d", "{:>999999999}",
    "s = s + s\n" * 40,
]  # fmt: skip
BYTES = [
    b"\xff",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"# -*- coding: utf-7 -*-\n",
    b"# coding: rot13\n",
    b"\xed\xa0\x80",
]
COMMANDS: tuple[tuple[str, ...], ...] = (
    *(("lint", "--format", form) for form in OUTPUT_FORMATS),
    ("lint",),
    ("lint", "--no-cache", "--include-tests", "--policy", "strict"),
    ("lint", "--fix"),
    ("lint", "--unsafe-fixes"),
    ("lint", "--diff", "--unsafe-fixes"),
    ("lint", "--baseline", "known.json"),
    ("lint", "--baseline", "known.json", "--update-baseline"),
    ("lint", "--policy", "own.toml", "--isolated"),
    ("lint", "--settings", "shop.settings", "--fail-on-undecided"),
    ("lint", "--show-config"),
    ("facts",),
    ("facts", "--format", "json"),
)


def changed(chance: random.Random, content: bytes) -> bytes:
    """A few edits: pieces put in, spans taken out, doubled or swapped, bytes turned round, the end cut off."""
    for _ in range(chance.choice((1, 1, 2, 3, 8, 30))):
        at, to = sorted((chance.randint(0, len(content)), chance.randint(0, len(content))))
        to = min(to, at + chance.choice((1, 5, 40, 400)))
        kind = chance.randrange(7)
        if kind <= 2:
            content = content[:at] + chance.choice(PIECES).encode() + content[at:]
        elif kind == 3:
            content = content[:at] + content[to:]
        elif kind == 4:
            content = content[:at] + content[at:to] * chance.choice((2, 3, 60)) + content[to:]
        elif kind == 5:
            content = content[:at] + chance.choice(BYTES) + content[at:]
        else:
            content = content[:at] + bytes(byte ^ (1 << chance.randrange(8)) for byte in content[at:to]) + content[to:]
        content = content[:60_000]
    return content


def anything(chance: random.Random, content: bytes) -> bytes:
    """Bytes without any sense, behind a word that makes the linter look at them."""
    return chance.choice((b"celery ", b"import celery\n", b"")) + chance.randbytes(chance.choice((0, 1, 30, 3000)))


def pieces(chance: random.Random, content: bytes) -> bytes:
    """Pieces in any order."""
    return b"celery" + "".join(chance.choices(PIECES, k=chance.randint(1, 60))).encode()


def mixed(chance: random.Random, content: bytes) -> bytes:
    """One file's beginning, another kind's end."""
    other = chance.choice(list(FILES.values())).encode()
    return content[: chance.randint(0, len(content))] + other[chance.randint(0, len(other)) :]


WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (changed, changed, changed, anything, pieces, mixed)


def write(chance: random.Random, project: Path) -> None:
    """Some of the files, most of them as they should be, one to four of them not."""
    names = chance.sample(list(FILES), k=chance.randint(1, len(FILES)))
    odd = set(chance.sample(names, k=min(len(names), chance.randint(1, 4))))
    for name in names:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = FILES[name].encode()
        path.write_bytes(chance.choice(WAYS)(chance, content) if name in odd else content)
        if chance.random() < 0.5:
            os.utime(path, (1_600_000_000, 1_600_000_000))  # long ago, so that a cache believes the stamp


def spoil(chance: random.Random, cache: Path) -> None:
    """What a cache may have become since the last run."""
    for path in cache.rglob("lint-*"):
        content = read_own(str(path))
        head, _, rows = content.partition(b"\n")
        as_long = bytearray(rows)
        for _ in range(chance.choice((1, 10, 200))):
            if as_long:
                as_long[chance.randrange(len(as_long))] = chance.randrange(256)
        spoiled = head + b"\n" + bytes(as_long) if chance.random() < 0.7 else changed(chance, content)
        if chance.random() < 0.8:
            write_own(str(path), (spoiled,))  # with a checksum that is right
        else:
            path.write_bytes(spoiled)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def prepared(number: int, room: Path) -> tuple[random.Random, Path]:
    chance = random.Random(number)
    project = room / f"p{number}"
    project.mkdir()
    write(chance, project)
    return chance, project


@pytest.mark.timeout(24 * 3600 if INPUTS > 1000 else 180)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_any_bytes_in_any_file(batch: int, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = CliRunner()
    for number in range(FIRST + batch, FIRST + INPUTS, BATCHES):
        chance, project = prepared(number, room)
        monkeypatch.chdir(project)
        cache = room / f"cache{number}"
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
        for _ in range(2):
            words = chance.choice(COMMANDS)
            start = time.perf_counter()
            done = runner.invoke(safecelery, list(words), prog_name="safecelery")
            took = time.perf_counter() - start
            said = f"input {number}, {' '.join(words)}: {done.exit_code}, {took:.1f} s, {done.output[-300:]}"
            if done.exception is not None and not isinstance(done.exception, SystemExit):
                pytest.fail(said + "".join(traceback.format_exception(done.exception)[-6:]), pytrace=False)
            assert done.exit_code in (0, 1, 2), said
            assert "Traceback" not in done.output, said
            assert "a defect of safecelery" not in done.output, said
            assert took < LONGEST_S, said
            spoil(chance, cache)


@pytest.mark.parametrize("number", range(FIRST, FIRST + max(6, min(INPUTS // 50, 60))))
def test_any_bytes_in_a_process_of_its_own(number: int, room: Path) -> None:
    chance, project = prepared(number, room)
    words = chance.choice(COMMANDS)
    done = subprocess.run(
        [sys.executable, "-m", "safecelery", *words], cwd=project, capture_output=True, timeout=60, check=False,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": str(room / "cache")},
    )  # fmt: skip
    assert done.returncode in (0, 1, 2), (words, done.stderr)
    assert b"Traceback" not in done.stderr + done.stdout, (words, done.stderr)


def test_inputs_differ_and_some_are_read_to_their_end(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the tests above would try nothing."""
    statuses = set()
    for number in range(12):
        _, project = prepared(number, room)
        monkeypatch.chdir(project)
        statuses.add(CliRunner().invoke(safecelery, ["lint", "--isolated"]).exit_code)
    assert statuses >= {1, 2}
