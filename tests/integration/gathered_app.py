"""``celery -A tests.integration.gathered_app worker``: encrypted tasks in chords, and one that stands in for another.

``service.loud`` is not encrypted: what it says has to be found wherever somebody looks.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from celery import chain, chord, group
from celery.signals import after_setup_logger, after_setup_task_logger

from safecelery import SafeCelery, SafeCelerySettings, SafeTask, create_app
from tests.integration.canary_app import mail_errors

QUEUE = "gathered"
LIMITS: dict[str, Any] = {"time_limit": 20, "soft_time_limit": 15}


def make(settings: SafeCelerySettings | None = None) -> SafeCelery:
    """The app."""
    app = create_app("gathered", settings)
    app.conf.task_default_queue = QUEUE
    app.conf.task_default_routing_key = QUEUE

    @app.task(name="service.keep", encrypt=True, **LIMITS)
    def keep(text: Any) -> Any:
        return text

    @app.task(name="service.spill", encrypt=True, **LIMITS)
    def spill(text: str) -> None:
        raise ValueError(f"spilt {text}")

    @app.task(name="service.loud", **LIMITS)
    def loud(text: str) -> None:
        raise ValueError(f"said {text}")

    @app.task(name="service.one", **LIMITS)
    def one() -> int:
        return 1

    @app.task(name="service.stands-in", bind=True, **LIMITS)
    def stands_in(self: SafeTask[..., Any]) -> str:
        raise self.replace(app.tasks["service.keep"].si(os.environ["CANARY"]).set(queue=QUEUE))

    @app.task(name="service.loot", **LIMITS)
    def loot(found: Any, *more: Any, **named: Any) -> Any:
        return found

    @app.task(name="service.secret-loot", encrypt=True, **LIMITS)
    def secret_loot(found: Any, *more: Any, **named: Any) -> Any:
        return found

    @app.task(name="service.wait", encrypt=True, **LIMITS)
    def wait(path: str, text: str) -> str:
        while not Path(path).exists():
            time.sleep(0.01)
        return text

    @app.task(name="service.again", bind=True, max_retries=2, **LIMITS)
    def again(self: SafeTask[..., Any], text: str) -> str:
        if not self.request.retries:
            raise self.retry(countdown=0)
        return text

    @app.task(name="service.becomes", bind=True, **LIMITS)
    def becomes(self: SafeTask[..., Any], what: str) -> Any:
        one = app.tasks["service.one"].si
        others = {"chain": chain(one(), one()), "group": group(one(), one()), "chord": chord([one()], loot.s())}
        raise self.replace(others[what])

    return app


after_setup_logger.connect(mail_errors)
after_setup_task_logger.connect(mail_errors)
if "SAFECELERY_SIGNING__KEY" in os.environ:
    app = make()
