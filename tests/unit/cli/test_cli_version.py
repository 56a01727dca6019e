"""``safecelery version``: for people and for bug reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError

import celery
import pytest
from click.testing import Result

import safecelery.cli.version as module
from safecelery._version import __version__


def test_every_version_has_a_line(run: Callable[..., Result]) -> None:
    result = run("version")
    assert result.exit_code == 0
    words = {line.split()[0]: line.split(maxsplit=1)[1].strip() for line in result.output.splitlines()}
    assert list(words) == ["safecelery", "celery", "kombu", "redis-py", "amqp", "cryptography", "python", "openssl"]
    assert (words["safecelery"], words["celery"]) == (__version__, celery.__version__)


def test_json_is_the_same_for_tools(run: Callable[..., Result]) -> None:
    found = json.loads(run("version", "--json").output)
    assert found["safecelery"] == __version__
    assert found["openssl"].startswith(("OpenSSL", "LibreSSL"))


def test_what_is_missing_is_said(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "installed", absent)
    assert "amqp          not installed\n" in run("version").output
