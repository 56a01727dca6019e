"""The command line in a directory and with settings of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safecelery.cli.main import safecelery

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory; nothing of whoever runs the tests is seen or touched."""
    for name in list(os.environ):
        if name.startswith(("SAFECELERY_", "CELERY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    before = os.umask(0o002)  # as Debian and Fedora set it for people: nothing may rest on a tighter one
    yield work
    os.umask(before)


@pytest.fixture
def run() -> Run:
    """``run("keys", "list")``: exit code and output of ``safecelery keys list``."""

    def call(*words: object) -> Result:
        return CliRunner().invoke(safecelery, [str(word) for word in words], prog_name="safecelery")

    return call
