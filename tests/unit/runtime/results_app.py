"""An app whose results are in memory, and what a test wants to do with them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.app.task import Context
from celery.backends.cache import _DUMMY_CLIENT_CACHE

from safecelery import SafeCelery, create_app
from safecelery.keys.generate import generate_key, trust_entry, write_private
from tests.unit.apps import settings_in

__all__ = ["Shop", "request_of"]


def request_of(task: str, task_id: str, **more: Any) -> Context:
    """What a worker knows of a task that it runs."""
    return Context({"task": task, "id": task_id, "delivery_info": {}, **more})


class Shop:
    """Services with keys of their own, and one store that all of them can write to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.grants: dict[str, dict[str, Any]] = {
            "worker": {"results": ["shop.*", "celery.group"]},
            "web": {},
            "stranger": {"results": ["other.*"], "send": ["other.*"]},
        }
        self.entries = []
        for owner, grants in self.grants.items():
            key = generate_key(owner, lifetime=timedelta(days=1))
            write_private(directory / f"{owner}.key", key)
            self.entries.append(trust_entry(key, **grants))
        self.trust_file.write_text("\n".join(self.entries))
        _DUMMY_CLIENT_CACHE.clear()

    @property
    def trust_file(self) -> Path:
        return self.directory / "services.toml"

    def app(self, owner: str, **results: Any) -> SafeCelery:
        """That service's app."""
        settings = settings_in(
            self.directory,
            broker={"url": "memory://"},
            results={"url": "cache+memory://", **results},
            signing={"key": f"file:{self.directory / owner}.key", "trust_file": self.trust_file},
        )
        return create_app(owner, settings, set_as_current=False)

    @staticmethod
    def raw(task_id: str) -> bytes:
        """As it is stored."""
        return bytes(_DUMMY_CLIENT_CACHE[f"celery-task-meta-{task_id}".encode()])

    @staticmethod
    def plant(task_id: str, value: bytes) -> None:
        """Put something there."""
        _DUMMY_CLIENT_CACHE[f"celery-task-meta-{task_id}".encode()] = value
