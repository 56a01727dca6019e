"""Shared tasks whose results are worth a look: large, failing in every way, growing their chord, making progress."""

from __future__ import annotations

import builtins
from typing import Any

from celery import _state, shared_task
from celery.exceptions import Ignore, Reject

from safecelery import SafeTask

LIMITS: dict[str, Any] = {"time_limit": 20, "soft_time_limit": 15}
_before = set(_state._on_app_finalizers)


class Declared(Exception):
    """What a task declares to throw."""


class Undeclared(Exception):
    """What no reader makes again."""


class Deadly(SystemExit):
    """Would end whoever raised it."""


@shared_task(name="results.raises", throws=(Declared, Deadly), max_retries=0, **LIMITS)
def raises(name: str, *args: Any) -> None:
    """Fail with that exception."""
    kinds = {"Declared": Declared, "Undeclared": Undeclared, "Ignore": Ignore, "Reject": Reject}
    raise (kinds.get(name) or getattr(builtins, name))(*args)


@shared_task(name="results.large", **LIMITS)
def large(size: int) -> str:
    """Return that much text."""
    return "x" * size


@shared_task(name="results.parent", bind=True, **LIMITS)
def parent(self: SafeTask[..., Any], x: int) -> int:
    """Send a child."""
    self.app.tasks["service.add"].delay(x, 1)
    return x


@shared_task(name="results.grows", bind=True, **LIMITS)
def grows(self: SafeTask[..., Any], x: int) -> int:
    """Add one more task to the chord."""
    self.add_to_chord(self.app.tasks["service.add"].s(x, 100))
    return x


@shared_task(name="results.waits", bind=True, time_limit=60, soft_time_limit=55)
def waits(self: SafeTask[..., Any], path: str) -> str:
    """Tell how far it is, then wait for a file."""
    import time
    from pathlib import Path

    self.update_state(state="PROGRESS", meta={"done": 1})
    for _ in range(5_000):
        if Path(path).exists():
            return "done"
        time.sleep(0.01)
    return "gave up"


@shared_task(name="results.silent", ignore_result=True, **LIMITS)
def silent() -> str:
    """Its result is nobody's."""
    return "unheard"


#: What makes them tasks of an app that is finalized from now on.
FINALIZERS = _state._on_app_finalizers - _before
