"""``celery -A tests.integration.errback_app worker``: a task that reaches its hard limit, and errbacks."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from safecelery import SafeCelery, SafeCelerySettings, create_app

LIMITS: dict[str, Any] = {"time_limit": 20, "soft_time_limit": 15}


def make(settings: SafeCelerySettings | None = None, queue: str = "errbacks") -> SafeCelery:
    """The app."""
    app = create_app("errbacks", settings)
    app.conf.task_default_queue = queue
    app.conf.task_default_routing_key = queue

    @app.task(name="service.stuck", time_limit=1, soft_time_limit=0.9, max_retries=0)
    def stuck() -> None:
        while True:
            try:
                time.sleep(30)
            except Exception:  # deaf to the soft limit
                continue

    @app.task(name="service.one", **LIMITS)
    def one() -> int:
        return 1

    @app.task(name="service.waits", **LIMITS)
    def waits(request: Any, exc: Any, traceback: Any, path: str = "") -> None:
        Path(f"{path}.begun").touch()
        while not Path(path).exists():
            time.sleep(0.01)
        Path(f"{path}.done").write_text(f"{request.id} {type(exc).__name__}")

    @app.task(name="service.exits", **LIMITS)
    def exits(request: Any, exc: Any, traceback: Any) -> None:
        raise SystemExit(3)

    @app.task(name="service.sent", **LIMITS)
    def sent(task_id: str, path: str) -> None:
        Path(path).write_text(task_id)

    return app


if "SAFECELERY_SIGNING__KEY" in os.environ:
    app = make(queue=os.environ["QUEUE"])
