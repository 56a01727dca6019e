"""What only speaks of Celery, and what uses it."""

from __future__ import annotations

import io
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from safecelery.lint.source.hints import is_hinted
from safecelery.lint.source.prose import is_named_in_code

SPOKEN = [
    b"# sent by celery\n",
    b"x = 1  # celery, later\n",
    b'"""Run by the celery worker."""\n',
    b'"""\nOutside of Celery. Or in\n    Celery tasks and requests (e.g. Celery beat).\n"""\n',
    b'log.info("Starting the celery worker")\n',
    b'"""Blocks all Celery\'s processes."""\n',
    b'"""What Celery: does."""\n',
    b'"""\n    Celery may send it twice.\n"""\n',
]
USED = [
    b"import celery\n",
    b"import celery as c\n",
    b"from celery import Celery\n",
    b"from .celery import app\n",
    b"from . import celery\n",
    b"from . import (\n    a,\n    celery,\n)\n",
    b"from x import make, celery as c\n",
    b"app = celery\n",
    b"return celery\n",
    b"if celery is None:\n    pass\n",
    b"x = [c for c in celery if c]\n",
    b"f(a, celery)\n",
    b"f(\n    a,\n    celery\n)\n",
    b"celery.task()\n",
    b"celery = make()\n",
    b"class App(Celery):\n    pass\n",
    b"def f(celery: Celery) -> Celery: ...\n",
    b"class CeleryApp: ...\n",
    b'INSTALLED_APPS = ["django_celery_beat"]\n',
    b'NAME = "celery"\n',
    b"NAME = 'proj.celery'\n",
    b"@celery\ndef f(): ...\n",
    b"lambda celery: celery + 1\n",
    b"with celery as c: ...\n",
    b"match celery:\n    case 1: ...\n",
    b"print celery\n",
    b"f(x)  # safecelery: ignore[SFC101] reason\n",
    b"celery",
    b"elery = 1\n",
    b"x = a if b else celery\n",
    b"assert celery, 'missing'\n",
    b"x: Celery\n",
    b"celery \\\n    .task()\n",
    b"async with celery : pass\n",
    b"x = y  @ celery\n",
]


RECORDS = [
    b"celery_task_id = 1\n",
    b"    celery_task_id: Mapped[str | None] = mapped_column(Text)\n",
    b"attempt.celery_task_id = None\n",
    b'op.add_column("attempt", sa.Column("celery_task_id", sa.String))\n',
    b"class Job(Model):\n    celery_id = CharField(max_length=64)\n",
    b"def by_ids(my_celery_task_ids): ...\n",
]
"""Where somebody keeps the id of a task, which says nothing of Celery's use."""
NO_RECORDS = [
    b"celery_task_idle = 1\n",
    b"celery_identity = 1\n",
    b"celery.id = 1\n",
    b"app = celery_task_id and celery\n",
    b"f(celery_task_id, celery_app)\n",
]


@pytest.mark.parametrize("data", RECORDS)
def test_the_id_of_a_task_is_no_use(data: bytes) -> None:
    assert not is_named_in_code(data)
    assert not is_hinted(data)


@pytest.mark.parametrize("data", NO_RECORDS)
def test_what_is_like_the_id_of_a_task_is_a_use(data: bytes) -> None:
    assert is_named_in_code(data)
    assert is_hinted(data)


@pytest.mark.parametrize("data", SPOKEN)
def test_a_sentence_is_no_use(data: bytes) -> None:
    assert not is_named_in_code(data)
    assert not is_hinted(data)


@pytest.mark.parametrize("data", USED)
def test_a_use_is_seen(data: bytes) -> None:
    assert is_named_in_code(data)
    assert is_hinted(data)


def test_one_use_among_many_sentences_is_seen() -> None:
    assert is_named_in_code(b"".join(SPOKEN) + b"x = celery\n")


def test_another_hint_is_enough() -> None:
    assert is_hinted(b"# the celery worker\nsend.delay(1)\n")


def installed() -> Iterator[Path]:
    """Files that mention Celery, of people who wrote them for other reasons than this test."""
    site = Path(sysconfig.get_paths()["purelib"])
    for package in ("celery", "kombu", "billiard", "vine", "amqp", "django"):
        yield from sorted((site / package).rglob("*.py"))


def test_every_name_of_every_installed_module_is_seen() -> None:
    """As Python's own tokenizer finds them: no name or string that begins with Celery is taken for a sentence."""
    looked_at = 0
    for path in installed():
        for line in _lines_that_use(path.read_bytes()):
            looked_at += 1
            assert is_named_in_code(line), (path, line)
    assert looked_at > 500


def _lines_that_use(data: bytes) -> Iterator[bytes]:
    """Logical lines of one physical line, whose tokens hold Celery's name."""
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(data).readline))
    except (tokenize.TokenError, SyntaxError):
        return
    for token in tokens:
        if token.type == tokenize.NAME and token.string in ("celery", "Celery"):
            yield token.line.encode()
