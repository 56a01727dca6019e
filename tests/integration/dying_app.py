"""``celery -A tests.integration.dying_app worker``: the service, killed once at a step of keeping a dead letter.

The step is named by ``DIE_AT``: ``before-publish``, ``before-ack`` or ``after-ack``. ``DIE_ONCE`` is a file that is
made at that moment: a process that finds it lives. Steps are wrapped from outside; the product knows nothing of them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.factory import make_app

from safecelery.runtime import reject

app = make_app()


def die() -> None:
    """As if the machine had gone, the first time."""
    once = Path(os.environ["DIE_ONCE"])
    if not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def dying(name: str, *, before: bool) -> None:
    """Wrap a step of ``DeadLetters``."""
    original: Callable[..., Any] = getattr(reject.DeadLetters, name)

    def step(*args: Any) -> None:
        if before:
            die()
        original(*args)
        if not before:
            die()

    setattr(reject.DeadLetters, name, step)


match os.environ["DIE_AT"]:
    case "before-publish":
        dying("_publish", before=True)
    case "before-ack":
        dying("_settle", before=True)
    case "after-ack":
        dying("_settle", before=False)
