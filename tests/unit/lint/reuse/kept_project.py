"""A project with one of everything that a result may depend on, and a run that tells whether it was spared."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from safecelery.lint import engine, reuse
from safecelery.lint.baseline import entry_of, write_baseline
from safecelery.lint.config import LintConfig, load_config
from safecelery.lint.finding import LintResult
from safecelery.lint.report.masking import masked_result

__all__ = ["KeptProject"]

TASKS = """\
from celery import shared_task
from shop.limits import SOFT


@shared_task(soft_time_limit=SOFT)
def charge(order): ...


@shared_task
def refund(order): ...  # safecelery: ignore[SFC401] the bank waits no longer than a minute
"""
FILES = {
    "pyproject.toml": '[tool.safecelery]\npolicy = "rules/mine.toml"\nbaseline = "known.json"\n',
    "rules/mine.toml": 'name = "mine"\nextends = "below.toml"\n[rules]\n',
    "rules/below.toml": 'name = "below"\nextends = "migration"\n[rules]\nsigning-off = "off"\n',
    "shop/__init__.py": "",
    "shop/app.py": "from celery import Celery\n\napp = Celery('shop', broker='redis://:hunter2secret@db:6379/0')\n",
    "shop/limits.py": "SOFT = 5\n",
    "shop/tasks.py": TASKS,
    "shop/more.py": TASKS.replace("charge", "ship").replace("refund", "unship"),
    "tests/conftest.py": "",
    "tests/test_shop.py": "from shop.tasks import charge\n",
    "Dockerfile": "FROM python:3.12\nCMD celery -A shop.app worker --pool solo\n",
    "compose.yml": "services:\n  beat:\n    build: .\n    command: celery -A shop.app beat\n",
    "requirements.txt": "celery==5.2.0\nredis==4.0.0\n",
    "keys/prod.pem": "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n",
    ".git/index": b"DIRC\0\0\0\2keys/other.pem\0",
    ".gitignore": "*.log\n",
    "outside.txt": "",
}


@dataclass
class KeptProject:
    """Files below ``root``, a cache beside them; files count as old however new they are."""

    root: Path
    cache: Path
    monkeypatch: pytest.MonkeyPatch
    paths: list[str] = field(default_factory=lambda: ["."])
    options: dict[str, object] = field(default_factory=dict)
    computed: int = 0

    def prepare(self) -> None:
        """Write everything, and a baseline that knows a part of what is found."""
        self.monkeypatch.setattr("safecelery.lint.source.cache._RACE_NS", -60_000_000_000)
        self.monkeypatch.setenv("XDG_CACHE_HOME", str(self.cache))
        for name, content in FILES.items():
            self.write(name, content)
        (self.root / "shop/linked.py").symlink_to("limits.py")
        self.monkeypatch.chdir(self.root)
        found = engine.lint(["."], replace(load_config(["."]), baseline=None, cache=False)).findings
        entries = [entry_of(finding, self.root) for finding in found if finding.path == "shop/more.py"]
        write_baseline(self.root / "known.json", [entry for entry in entries if entry is not None])
        real = engine.lint

        def counted(*args: Any, **kwargs: Any) -> LintResult:
            self.computed += 1
            return real(*args, **kwargs)

        self.monkeypatch.setattr(engine, "lint", counted)

    def write(self, name: str, content: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a text and keep the file's size, if the texts have one, and its modification time."""
        path = self.root / name
        before = path.stat()
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def config(self, **changes: Any) -> LintConfig:
        return replace(load_config(self.paths, self.options), jobs=1, **changes)

    def run(self) -> tuple[LintResult, bool]:
        """The result, without its time and with its secrets masked; and whether the run was spared."""
        before = self.computed
        result = masked_result(reuse.lint(self.paths, self.config()))
        return replace(result, seconds=0.0), self.computed == before

    def fresh(self) -> LintResult:
        """What a run says that knows nothing."""
        return replace(masked_result(engine.lint(self.paths, self.config(cache=False))), seconds=0.0)

    def entry(self) -> Path:
        (path,) = (self.cache / "safecelery").glob("result-*.json")
        return path
