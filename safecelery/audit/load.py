"""Import the app as ``celery -A`` does, with all its tasks, and without a connection to any broker."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celery import Celery
from celery.app.utils import find_app
from kombu.connection import Connection

from safecelery.errors import PolicyViolationError, SafeCeleryError, SettingsError, did_you_mean

__all__ = ["finalize", "load_app", "no_broker"]


def load_app(name: str) -> Celery:
    """The app that ``celery -A name`` would use, found from the current directory.

    What the project prints while it is imported goes to standard error: standard output is ours.

    Raises:
        SettingsError: there is no such module or app, or importing it failed; says where.
        PolicyViolationError: a hardened app refused its own configuration.
    """
    if not name.strip():
        raise SettingsError("-A: name the app, as you would for 'celery -A': proj, proj.celery or proj.celery:app")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # stays: a project may import more of itself later
    with _refusals(f"-A {name}", "cannot be imported"):
        app: Any = find_app(name)
        # A proxy (current_app) stands for the app.
        app = app._get_current_object() if hasattr(app, "_get_current_object") else app
    if not isinstance(app, Celery):
        raise SettingsError(f"-A {name}: that is a {type(app).__name__}, not a Celery app{_nearest(app)}")
    return app


def finalize(app: Celery, name: str) -> None:
    """Import the task modules a worker would import (``imports``, ``include``, autodiscovery), and bind every task.

    Raises as :func:`load_app`.
    """
    with _refusals(f"-A {name}", "its tasks cannot be imported"):
        app.finalize()
        app.loader.import_default_modules()
        for task in list(app.tasks.values()):
            task._get_app()  # binds: settings and annotations reach the task (celery/app/task.py)


@contextlib.contextmanager
def no_broker() -> Iterator[None]:
    """Until the end of the block, every attempt to reach a broker fails at once, and says so.

    Without it a project that publishes while it is imported would wait for a broker that CI does not have, or send real
    messages to one that is there.
    """
    cls: Any = Connection
    original, channel = cls._establish_connection, cls.default_channel

    def refuse(self: Any) -> Any:
        raise SettingsError("the app tries to reach its broker while it is imported; an audit only reads it")

    cls._establish_connection = refuse
    cls.default_channel = property(refuse)  # the way of every publish, which would try again and again
    try:
        yield
    finally:
        cls._establish_connection = original
        cls.default_channel = channel


@contextlib.contextmanager
def _refusals(what: str, verb: str) -> Iterator[None]:
    """Whatever somebody else's code raises becomes a sentence with a place."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except PolicyViolationError:
        raise
    except SafeCeleryError as error:
        raise SettingsError(f"{what}: {error}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # it is not our code that runs here
        text = " ".join(str(error).split()) or "no text"
        raise SettingsError(f"{what}: {verb}: {type(error).__name__}: {text}{_where(error)}") from None


def _where(error: BaseException) -> str:
    """`` (at shop/settings.py:3)``: the innermost line below the current directory that raised it."""
    here, found = str(Path.cwd()) + os.sep, ""
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.startswith(here) and "site-packages" not in file:
            found = f" (at {file.removeprefix(here)}:{traceback.tb_lineno})"
        traceback = traceback.tb_next
    return found


def _nearest(found: object) -> str:
    """A hint when a module was named whose app has another name."""
    members = getattr(found, "__dict__", {})
    apps = [key for key, value in members.items() if isinstance(value, Celery)]
    return f"; it has {', '.join(map(repr, apps))}{did_you_mean('app', apps)}" if apps else ""
