"""A project on disk, read by the linter: what it says of each task and app, in a form that is easy to compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import facts, lint
from safecelery.lint.finding import LintResult

__all__ = ["APP", "DJANGO", "Default", "Reading", "Unread", "facts_of", "lint_of", "write_tree"]

APP = {"shop/__init__.py": "", "shop/celery.py": "from celery import Celery\n\napp = Celery('shop')\n"}
"""A package with an app that nobody configures."""

DJANGO = {
    "shop/__init__.py": "from .celery import app as celery_app\n",
    "shop/celery.py": (
        "import os\n"
        "from celery import Celery\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
        "app = Celery('shop')\n"
        "app.config_from_object('django.conf:settings', namespace='CELERY')\n"
        "app.autodiscover_tasks()\n"
    ),
    "shop/tasks.py": "from celery import shared_task\n@shared_task\ndef pay(): ...\n",
}
"""A Django project without its settings."""

_EFFECTIVE = {"time_limit": "time_limit_effective", "soft_time_limit": "soft_time_limit_effective"}


@dataclass(frozen=True)
class Default:
    """Known as long as the environment does not say otherwise."""

    value: Any
    env: tuple[str, ...]

    def __init__(self, value: Any, *env: str) -> None:
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "env", env)


@dataclass(frozen=True)
class Unread:
    """Not known; ``blocker`` is the expression that the document names."""

    blocker: str


@dataclass(frozen=True)
class Reading:
    """The document of ``safecelery facts`` for one tree."""

    document: dict[str, Any]

    @property
    def names(self) -> list[str]:
        return [task["name"] for task in self.document["tasks"]]

    @property
    def places(self) -> dict[str, str]:
        """Name of each task -> file:line."""
        return {task["name"]: f"{task['file']}:{task['line']}" for task in self.document["tasks"]}

    def task(self, name: str) -> dict[str, Any]:
        found = [task for task in self.document["tasks"] if task["name"].rpartition(".")[2] == name]
        assert len(found) == 1, (name, self.names)
        task: dict[str, Any] = found[0]
        return task

    def value(self, task: str, option: str) -> Any:
        """An effective option: the value if known, else :class:`Default` or :class:`Unread`."""
        return _shown(self.task(task)["options"][_EFFECTIVE.get(option, option)])

    def values(self, task: str, *options: str) -> tuple[Any, ...]:
        return tuple(self.value(task, option) for option in options)

    def chain(self, task: str, option: str) -> list[str]:
        """The places a value came through, nearest first: ``file:line what``."""
        return _chain(self.task(task)["options"][_EFFECTIVE.get(option, option)])

    def app(self, name: str = "shop") -> dict[str, Any]:
        found = [app for app in self.document["apps"] if app["name"] == name]
        assert len(found) == 1, (name, [app["name"] for app in self.document["apps"]])
        app: dict[str, Any] = found[0]
        return app

    def setting(self, name: str, app: str = "shop") -> Any:
        """A setting as somebody stated it; None where nobody does."""
        found = self.app(app)["conf"].get(name)
        return None if found is None else _shown(found)

    def setting_chain(self, name: str, app: str = "shop") -> list[str]:
        return _chain(self.app(app)["conf"][name])


def _shown(value: dict[str, Any]) -> Any:
    if value["state"] == "unknown":
        return Unread(value["because"][-1]["what"])
    if value["state"] == "default":
        return Default(value["value"], *value["env"])
    return value["value"]


def _chain(value: dict[str, Any]) -> list[str]:
    return [f"{link['file']}:{link['line']} {link['what']}" for link in value["because"]]


def write_tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def facts_of(root: Path, files: Mapping[str, str | bytes], **config: Any) -> Reading:
    """What the linter reads in these files."""
    tree = write_tree(root / "project", files)
    return Reading(facts([str(tree)], LintConfig(**({"cache": False, "jobs": 1, "root": tree} | config))))


def lint_of(root: Path, files: Mapping[str, str | bytes], **config: Any) -> LintResult:
    """What the linter reports about these files."""
    tree = write_tree(root / "project", files)
    return lint([str(tree)], LintConfig(**({"cache": False, "jobs": 1, "root": tree} | config)))
