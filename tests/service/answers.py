"""``celery -A service.answers worker``, and what its callers import: an app of either kind, and tasks that wait.

A task that waits for its gate, a file, is running for as long as somebody wants to look at what its caller sees.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery import Celery

import service.troubles  # noqa: F401 - classes that a result may name are loaded, as in any application
from service.factory import witness

__all__ = ["app"]

#: Seconds; a gate that is not open by then stays shut, and the task fails.
PATIENCE_S = 12.0


def wait_for(gate: str) -> None:
    """Wait until the file is there.

    Raises:
        TimeoutError: it is not.
    """
    deadline = time.monotonic() + PATIENCE_S
    path = Path(os.environ["SERVICE_GATES"]) / gate
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(gate)
        time.sleep(0.01)


def add_waiting_tasks(app: Celery) -> None:
    """What callers wait for: the same twice, of which one is encrypted where the settings say so."""
    for name in ("service.held", "service.hidden"):

        @app.task(name=name, time_limit=20, soft_time_limit=15)
        def held(gate: str, value: object, fails: bool = False) -> object:
            witness("held", gate=gate)
            wait_for(gate)
            if fails:
                raise ValueError(value)
            return value


def _make() -> Celery:
    if "STOCK_VARIANT" not in os.environ:
        from service.app import app as ours

        add_waiting_tasks(ours)
        return ours
    from service.stock import app as stock

    if os.environ["STOCK_VARIANT"] == "auth":
        stock.conf.update(result_serializer="auth", result_accept_content=["auth"], result_extended=True)
    add_waiting_tasks(stock)
    return stock


app = _make()
